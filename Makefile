# What can be done here. `make` alone lists it; the README says more.

SHELL     := bash
GOARCHES  := 386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME  ?= 30s
KERNEL    ?=
fetch     := go run ./scripts/fetch
# A kernel tree or header package: KERNEL=DIR, or the newest that Debian serves.
headers    = $(or $(KERNEL),$(shell $(fetch) headers))

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

.PHONY: generate
generate: ## write package uapi from KERNEL=DIR, or from Debian's newest header package
	@scripts/generate.sh "$(KERNEL)"
