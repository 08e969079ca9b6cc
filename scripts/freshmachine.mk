# The README's promises, on systems that have nothing yet.

.PHONY: fresh-machine
fresh-machine: ## try the README on minimal bookworm and trixie, as root: two hours; RUN='trixie.*umask': some of it
	@scripts/install.sh --for fresh-machine
	go run ./scripts/freshmachine $(if $(RUN),-run '$(RUN)')
