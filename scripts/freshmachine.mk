# The README's promises, on systems that have nothing yet.

.PHONY: fresh-machine
fresh-machine: ## check: try the README on minimal bookworm and trixie, as root: three hours; RUN='trixie.*umask': some of it; GUESTS=TestWait: fewer tests on each kernel
	@scripts/install.sh --for fresh-machine
	go run ./scripts/freshmachine $(if $(RUN),-run '$(RUN)') $(if $(GUESTS),-guests '$(GUESTS)')
