# The tests of others, with linux/exec in place of os/exec.

.PHONY: std clients clients-all exec-stress
std: ## run the standard library's tests of os/exec and SysProcAttr with linux/exec
	go run ./scripts/std

clients: ## run the tests of Go modules that start programs with linux/exec
	go run ./scripts/clients -ci

clients-all: ## the same, with those modules whose tests take long
	go run ./scripts/clients

stress: exec-stress
exec-stress:
	set -o pipefail; CLONE3_STRESS=10000 go test -race -count=1 -timeout $(TIMEOUT) -run '^TestCancellationStorm$$' -v ./linux/exec | grep -v '^=== RUN'
