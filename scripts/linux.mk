# Package linux under load.

MINUTES ?= 5

.PHONY: stress soak
stress: ## check: create 20,000 children while garbage is collected, in each kind of build; some minutes
	@run() { echo "$$*"; CLONE3_STRESS=20000 "$$@" -count=1 -timeout $(TIMEOUT) -run '^TestStress$$' -v ./linux | grep -v '^=== RUN'; }; \
	set -eo pipefail; \
	run go test; \
	run env GOMAXPROCS=1 go test; \
	run go test -race; \
	run go test -cover; \
	run go test -gcflags='all=-N -l'; \
	run go test -asan; \
	run env GOARCH=386 go test

soak: ## check: create children for MINUTES
	CLONE3_SOAK=$(MINUTES) go test -count=1 -timeout $$(($(MINUTES) + 10))m -run '^TestStress$$' -v ./linux

.PHONY: faults
faults: ## check: let every system call of a spawn fail, in this program and in the child; a minute
	CGO_ENABLED=0 CLONE3_FAULTS=1 go test -count=1 -timeout $(TIMEOUT) -run '^TestFaults$$' -v ./linux
