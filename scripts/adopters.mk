# Public modules with this one: what that takes, and what they gain.

.PHONY: adopters
adopters: ## check: give eleven public modules what their users ask for, test them before and after, and note it in testdata/adopters.md; a quarter of an hour
	go run ./scripts/adopters -o testdata/adopters.md
