# What can be done here. `make` alone lists it; the README says more.

SHELL       := bash
GOARCHES    := 386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x
# What a program can also be built for; most others, and the rest of these, are like them.
SYSTEMS     := darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 freebsd/amd64 freebsd/arm64 plan9/amd64 js/wasm
# Where headers are read, too.
HOSTS       := darwin/arm64 windows/amd64 freebsd/amd64
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZTIME    ?= 1m
# What hangs longer is ended, and prints the stacks of its goroutines.
TIMEOUT     ?= 10m
# A directory with a kernel tree or header package to read, or a release, which
# is fetched. Empty: Debian's newest headers. For make vm, a release.
KERNEL      ?=
export KERNEL
# A go.work in a folder above is for other work.
export GOWORK := off

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /\1\t/' | expand -t 15

.PHONY: generate
generate: ## write package uapi: from KERNEL=DIR or X.Y, or from Debian's newest kernel headers
	@scripts/generate.sh
	@go run ./scripts/othersystems

.PHONY: check
check: ## what is generated is fresh, gofmt, vet for every GOARCH and GOOS, staticcheck, import rules, go.mod
	scripts/fresh.sh
	go run ./scripts/othersystems -check
	scripts/gofmt.sh
	scripts/imports.sh
	go mod tidy -diff
	@echo "go vet for: $(GOARCHES)"; for arch in $(GOARCHES); do GOARCH=$$arch go vet ./... || exit; done
	@echo "go vet for: $(SYSTEMS)"; for s in $(SYSTEMS); do GOOS=$${s%/*} GOARCH=$${s#*/} go vet ./linux/... ./uapi || exit; done
	@echo "go vet of gen for: $(HOSTS)"; for s in $(HOSTS); do GOOS=$${s%/*} GOARCH=$${s#*/} go vet ./gen/... || exit; done
	go vet -tags clone3_osexec ./linux/exec
	go run $(STATICCHECK) ./...
	@$(MAKE) --no-print-directory figures-check

.PHONY: cross
cross: ## build and vet all packages for all 13 GOARCHes
	@for arch in $(GOARCHES); do echo "GOARCH=$$arch"; GOARCH=$$arch go build ./... && GOARCH=$$arch go vet ./... || exit; done

.PHONY: test
test: ## everything that should pass on a fresh Debian; installs what it needs
	@scripts/install.sh --for test trees vm-pr
	$(MAKE) check
	scripts/trees.sh go test -race -timeout $(TIMEOUT) ./...
	go test -race -timeout $(TIMEOUT) -tags clone3_osexec ./linux/exec
	$(MAKE) std
	$(MAKE) vm-pr

# The part of all the headers that make oracle checks besides its list.
PART ?= 7/40

.PHONY: oracle oracle-all
oracle: ## hold values and layouts against the C compilers of all architectures
	@scripts/install.sh --for oracle
	headers=$$(scripts/headers.sh) && go run ./scripts/oracle -kernel "$$headers" && go run ./scripts/oracle -kernel "$$headers" -all -part $(PART)

oracle-all: ## the same for every header there is; ten minutes
	@scripts/install.sh --for oracle
	headers=$$(scripts/headers.sh) && go run ./scripts/oracle -kernel "$$headers" -all

.PHONY: xsys
xsys: ## compare golang.org/x/sys/unix with gen over the same headers, on all architectures; two minutes
	@headers=$$(scripts/headers.sh) && go run ./scripts/xsys -kernel "$$headers"

.PHONY: sweep
sweep: ## the same for every header under linux/, on amd64
	@scripts/install.sh --for sweep
	headers=$$(scripts/headers.sh) && go run ./scripts/oracle -kernel "$$headers" -arch amd64 -header 'linux/...'

.PHONY: news
news: ## what the newest kernel has and uapi or linux does not handle
	@scripts/news.sh

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME
	scripts/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: ## benchmarks of ours and the peers, side by side
	scripts/trees.sh go test -timeout $(TIMEOUT) -run '^$$' -bench . -benchmem ./...

include $(wildcard scripts/*.mk)
