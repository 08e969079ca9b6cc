# Whether the tests notice what a maintainer may break.

.PHONY: mutants
mutants: ## check: plant the faults of testdata/mutants one at a time, and see that tests notice; hours for all: AREA=gen,child NAME=fault
	@scripts/install.sh --for vm-pr
	scripts/trees.sh go run ./scripts/mutants $(if $(AREA),-area '$(AREA)') $(if $(NAME),-run '$(NAME)')
