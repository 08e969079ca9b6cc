#!/usr/bin/env bash
# Prints the directory with kernel headers. KERNEL is one, or a release X.Y or
# X.Y.Z, which is fetched from Debian into the cache; if it is empty, Debian's
# newest headers are.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off
kernel=${KERNEL:-}
if [[ $kernel && ! $kernel =~ ^[0-9]+\.[0-9]+(\.[0-9]+)?$ ]]; then
	if [[ ! -d $kernel ]]; then
		echo "KERNEL=$kernel is no directory, nor a release like 7.3: set it to one of them, or to nothing for Debian's newest" >&2
		exit 1
	fi
	echo "$kernel"
	exit
fi
headers=$(go run ./scripts/fetch headers $kernel)
if [[ ! -d $headers/usr/lib/linux/uapi ]]; then # before 6.12: of amd64 alone
	headers=$(go run ./scripts/fetch source $kernel)
fi
echo "$headers"
