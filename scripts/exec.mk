# The tests of others, with linux/exec in place of os/exec.

.PHONY: std clients
std: ## run the standard library's tests of os/exec and SysProcAttr with linux/exec
	go run ./scripts/std

clients: ## run the tests of Go modules that start programs with linux/exec
	go run ./scripts/clients
