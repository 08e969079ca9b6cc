# The README's promises, on systems that have nothing yet.

.PHONY: fresh-machine
fresh-machine: ## try it all on minimal bookworm and trixie: root, hours; RUN='trixie.*umask' for some
	@scripts/install.sh --for fresh-machine
	go run ./scripts/freshmachine $(if $(RUN),-run '$(RUN)')
