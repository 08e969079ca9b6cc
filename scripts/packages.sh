#!/bin/sh
# packages.sh TARGET... prints the Debian packages that targets of make take,
# besides make and Go: the table of them. Two files say more, beside what the
# packages are for: testdata/kernels.txt and the compilers of scripts/oracle.
set -eu
cd "$(dirname "$0")/.."

# emulators [pr] prints the packages with the emulators of the guests of
# testdata/kernels.txt, or of those marked pr.
emulators() {
	awk -v mark="${1:-}" '
		{ sub(/#.*/, "") }
		$1 == "machine" { name = $2 }
		$1 == "like" { package[name] = package[$2] }
		$1 == "install" { package[name] = $2 }
		$1 == "guest" && (!mark || $5 == mark) { print package[$3] }' testdata/kernels.txt | sort -u
}

for target; do
	case $target in
	test) echo gcc libc6-dev ;; # for go test -race
	trees) echo debian-archive-keyring xz-utils ;; # to verify, and to unpack sources
	vm-pr | escape) echo debian-archive-keyring && emulators pr ;;
	vm-all) echo debian-archive-keyring xz-utils && emulators ;;
	oracle) GOWORK=off go run ./scripts/oracle -packages ;;
	sweep) echo gcc libc6-dev ;;
	bench-report) echo gcc libc6-dev bindgen libclang1 ;; # the peers
	fresh-machine) echo debootstrap debian-archive-keyring ;;
	*) echo "packages.sh: no target $target in the table" >&2 && exit 2 ;;
	esac
done
