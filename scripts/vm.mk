# The tests on real kernels. scripts/vm gets a kernel from Debian, cross-
# compiles the tests, boots and runs them: testdata/kernels.txt.
#
#   make vm                                    newest kernel, amd64, as root
#   make vm KERNEL=6.12 UID=1000 RUN=TestPidfd
#   make vm ARCH=s390x ARGS='-v -count=2' PKG=./uapi

ARCH ?= amd64
vm_flags = -arch '$(ARCH)' $(if $(KERNEL),-kernel '$(KERNEL)') $(if $(RUN),-run '$(RUN)') \
	$(if $(filter command line,$(origin UID)),-uid '$(UID)') $(ARGS) $(PKG)

.PHONY: vm vm-pr vm-all kernel
vm: ## kernels: run the tests on a kernel: KERNEL=X.Y ARCH=GOARCH UID=N RUN=Test ARGS='-v' PKG=./dir; some minutes, and seconds for one test
	@go run ./scripts/vm $(vm_flags)

vm-pr: ## kernels: run the tests on the kernels marked pr in testdata/kernels.txt; twenty minutes
	@scripts/install.sh --for vm-pr
	go test -timeout $(TIMEOUT) ./scripts/vm -boot
	go run ./scripts/vm -matrix pr -short $(ARGS) $(PKG)

vm-all: ## kernels: run the tests on every kernel there is, and note the results in testdata/kernels.md; hours
	@scripts/install.sh --for vm-all
	go run ./scripts/vm -matrix all -short -report testdata/kernels.md $(ARGS) $(PKG)

kernel: ## kernels: build a kernel from Debian's source: ARCH=GOARCH KERNEL=X.Y; ten minutes
	@go run ./scripts/vm -build $(vm_flags)
