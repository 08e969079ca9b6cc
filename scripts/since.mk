.PHONY: since since-check
since: ## use: add to testdata/since.txt with which releases names of uapi came, by the kernels that Debian serves
	@scripts/since.sh
	@$(MAKE) generate

since-check: ## check: whether that table is fresh
	@scripts/since.sh -check
