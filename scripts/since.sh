#!/usr/bin/env bash
# since.sh [-check]: adds what the kernels tell that Debian serves to the table of
# the releases with which the names of package uapi came, or tells whether it is
# fresh. The releases are those of testdata/kernels.txt; one that is served no
# longer is left out. These trees are apart from those that tests read.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off
newest=$(scripts/headers.sh)
release=$(sed -nE '1s/.*from Linux ([0-9]+\.[0-9]+).*/\1/p' uapi/zsched.go)
export CLONE3_CACHE=${CLONE3_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/clone3}/since
older=''
for r in $(awk '$1 == "guest" && $4 ~ /^[0-9]/ { print $4 }' testdata/kernels.txt | sort -uV); do
	[[ $r != "$release" && $(printf '%s\n' "$r" "$release" | sort -V | head -1) == "$r" ]] || continue
	if dir=$(KERNEL=$r scripts/headers.sh 2>/dev/null); then
		older+=${older:+,}$dir
	fi
done
[[ $older ]] || {
	echo "since.sh: no older kernel can be had" >&2
	exit 1
}
echo "older kernels: $older"
go run ./gen -kernel "$newest" -since "$older" -json | go run ./scripts/since "$@" testdata/since.txt
