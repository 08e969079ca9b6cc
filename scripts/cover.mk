# How much of the code the tests run.

.PHONY: cover
cover: ## statements that the tests run, by package, and the functions below 90 %: PKG=./dir
	scripts/trees.sh scripts/cover.sh $(PKG)
