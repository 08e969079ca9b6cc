# How much of the code the tests run.

.PHONY: cover
cover: ## measure: statements that the tests run, here and on the newest kernel, by package, and the functions below 90 %: PKG=./dir: here alone; ten minutes
	@scripts/install.sh --for vm-pr
	scripts/trees.sh scripts/cover.sh $(PKG)
