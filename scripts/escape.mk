# Attempts to get out of linux.Confine, on real kernels: linux/testdata/escape.txt.

.PHONY: escape
escape: ## kernels: try 230 ways out of linux.Confine and its parts, on four kernels, as root and as a user: six minutes
	@scripts/install.sh --for escape
	go run ./scripts/escape $(ARGS)
