# The README's promises, on systems that have nothing yet.

.PHONY: fresh-machine
fresh-machine: ## try the README on minimal bookworm and trixie, as root: three hours; RUN='trixie.*umask': some of it; GUESTS=TestWait: less on each kernel, one hour
	@scripts/install.sh --for fresh-machine
	go run ./scripts/freshmachine $(if $(RUN),-run '$(RUN)') $(if $(GUESTS),-guests '$(GUESTS)')
