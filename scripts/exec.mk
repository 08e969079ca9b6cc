# The tests of others, with linux/exec in place of os/exec.

# Other releases of Go than the one here; the go command fetches them.
TOOLCHAINS ?= go1.26.0 go1.27.4

.PHONY: std toolchains clients clients-all exec-stress
std: ## check: run the standard library's tests of os/exec and SysProcAttr with linux/exec, and with what it is on other systems; a minute
	go run ./scripts/std
	go run ./scripts/std -portable

toolchains: ## check: build, vet and test the library with TOOLCHAINS, and std of each: a minute each, and 200 MB to fetch
	set -e; for go in $(TOOLCHAINS); do export GOTOOLCHAIN=$$go; go version; go build ./...; go vet ./...; \
		go test -short -timeout $(TIMEOUT) ./linux/... ./uapi/...; go test -timeout $(TIMEOUT) ./linux/exec; \
		go run ./scripts/std; done

clients: ## check: run the tests of six Go modules that start programs with linux/exec: two minutes
	go run ./scripts/clients -ci

clients-all: ## check: the same, with those modules whose tests take long: ten minutes
	go run ./scripts/clients

stress: exec-stress
exec-stress:
	set -o pipefail; CLONE3_STRESS=10000 go test -race -count=1 -timeout $(TIMEOUT) -run '^TestCancellationStorm$$' -v ./linux/exec | grep -v '^=== RUN'
