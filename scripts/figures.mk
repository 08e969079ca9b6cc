# What this module is worth beside its peers, measured and drawn. The program is
# a module of its own: `go vet ./...` at the root does not see it.

.PHONY: bench-report bench-compare figures-check
bench-report: ## measure: measure beside the peers, and write the figures and pictures in testdata/figures; three minutes of a quiet machine
	@scripts/install.sh --for trees bench-report
	scripts/trees.sh go -C scripts/figures run .

bench-compare: ## measure: measure, and warn of what is worse beside its peer than in testdata/figures; three minutes
	@scripts/install.sh --for trees bench-report
	scripts/trees.sh go -C scripts/figures run . -compare

figures-check:
	cd scripts/figures && go mod tidy -diff && go vet ./... && $(TOOL) staticcheck ./... && go test ./...
