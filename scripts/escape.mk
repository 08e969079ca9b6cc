# Attempts to get out of linux.Confine, on real kernels: linux/testdata/escape.txt.

.PHONY: escape
escape: ## kernels: try 240 ways out of linux.Confine and its parts, on four kernels, as root and as a user: four minutes
	@scripts/install.sh --for escape
	go run ./scripts/escape $(ARGS)
