# What can be done here. `make` alone lists it; the README says more.

SHELL       := bash
GOARCHES    := 386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x
# What a program can also be built for; most others, and the rest of these, are like them.
SYSTEMS     := darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 freebsd/amd64 freebsd/arm64 plan9/amd64 js/wasm
# Where headers are read, too.
HOSTS       := darwin/arm64 windows/amd64 freebsd/amd64
# Tools have a go.mod of their own: no importer's go.mod is to name them.
TOOL        := go tool -modfile=$(CURDIR)/scripts/tools.mod
FUZZTIME    ?= 1m
# What hangs longer is ended, and prints the stacks of its goroutines.
TIMEOUT     ?= 10m
# A directory with a kernel tree or header package to read, or a release, which
# is fetched. Empty: Debian's newest headers. For make vm, a release.
KERNEL      ?=
export KERNEL
# A go.work in a folder above is for other work.
export GOWORK := off

# A target says after ## in which group it is listed, what it does and, if it is
# more than a minute or two on two cores, how long it takes.
.PHONY: help
help: ## use: list the targets
	@for group in use check kernels measure more; do \
		awk -v group=$$group -F ':.*## ' ' \
			/^[a-z-]+:.*## / { \
				is = match($$2, /^(use|check|kernels|measure): /) ? substr($$2, 1, RLENGTH - 2) : "more"; \
				if (is != group) next; \
				if (!n++) print group ":"; \
				printf "  %-14s %s\n", $$1, is == "more" ? $$2 : substr($$2, RLENGTH + 1) \
			}' $(MAKEFILE_LIST); \
	done

.PHONY: generate
generate: ## use: write package uapi: from KERNEL=DIR or X.Y, or from Debian's newest kernel headers; half a minute
	@scripts/generate.sh
	@go run ./scripts/othersystems

.PHONY: check
check: ## use: what is generated is fresh, gofmt, vet for every GOARCH and GOOS, staticcheck, import rules, claims, licences, go.mod; some minutes
	scripts/fresh.sh
	go run ./scripts/othersystems -check
	scripts/gofmt.sh
	scripts/imports.sh
	go mod tidy -diff
	go run ./scripts/licences
	go run ./scripts/claims
	@echo "go vet for: $(GOARCHES)"; for arch in $(GOARCHES); do GOARCH=$$arch go vet ./... || exit; done
	@echo "go vet for: $(SYSTEMS)"; for s in $(SYSTEMS); do GOOS=$${s%/*} GOARCH=$${s#*/} go vet ./linux/... ./uapi || exit; done
	@echo "go vet of gen for: $(HOSTS)"; for s in $(HOSTS); do GOOS=$${s%/*} GOARCH=$${s#*/} go vet ./gen/... || exit; done
	go vet -tags clone3_osexec ./linux/exec
	$(TOOL) staticcheck ./...
	@$(MAKE) --no-print-directory figures-check

.PHONY: cross
cross: ## check: build and vet all packages for all 13 GOARCHes
	@for arch in $(GOARCHES); do echo "GOARCH=$$arch"; GOARCH=$$arch go build ./... && GOARCH=$$arch go vet ./... || exit; done

.PHONY: test
test: ## use: everything that should pass on a fresh Debian; installs what it needs; half an hour
	@scripts/install.sh --for test trees vm-pr
	$(MAKE) check
	scripts/trees.sh go test -race -timeout $(TIMEOUT) ./...
	go test -race -timeout $(TIMEOUT) -tags clone3_osexec ./linux/exec
	$(MAKE) std
	$(MAKE) vm-pr

# The part of all the headers that make oracle checks besides its list.
PART ?= 7/40

.PHONY: oracle oracle-all
oracle: ## check: hold values and layouts against the C compilers of all architectures; two minutes
	@scripts/install.sh --for oracle
	headers=$$(scripts/headers.sh) && go run ./scripts/oracle -kernel "$$headers" && go run ./scripts/oracle -kernel "$$headers" -all -part $(PART)

oracle-all: ## check: the same for every header there is; ten minutes
	@scripts/install.sh --for oracle
	headers=$$(scripts/headers.sh) && go run ./scripts/oracle -kernel "$$headers" -all

.PHONY: xsys
xsys: ## check: compare golang.org/x/sys/unix with gen over the same headers, on all architectures; two minutes
	@headers=$$(scripts/headers.sh) && go run ./scripts/xsys -kernel "$$headers"

# It exits with 3 if there are vulnerabilities, and with 1 if it cannot tell.
.PHONY: vuln
vuln: ## check: known vulnerabilities in what is imported; needs Go's database of them, on the network or, with GOVULNDB=file:///DIR, in a folder
	@$(TOOL) govulncheck ./... || { status=$$?; [[ $$status == 3 ]] || \
		echo "the database of vulnerabilities cannot be read, so nothing is known: this is no part of make check, for those without a network" >&2; exit $$status; }

.PHONY: sweep
sweep: ## check: hold every header under linux/ against the C compiler of amd64; a few minutes
	@scripts/install.sh --for sweep
	headers=$$(scripts/headers.sh) && go run ./scripts/oracle -kernel "$$headers" -arch amd64 -header 'linux/...'

.PHONY: news
news: ## check: what the newest kernel has and uapi or linux does not handle
	@scripts/news.sh

.PHONY: fuzz
fuzz: ## check: run every fuzz target for FUZZTIME, a minute each
	scripts/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: ## measure: benchmarks of ours and the peers, side by side; some minutes
	scripts/trees.sh go test -timeout $(TIMEOUT) -run '^$$' -bench . -benchmem ./...

include $(wildcard scripts/*.mk)
