#!/usr/bin/env bash
# Fails when uapi is not what gen makes of the kernel that it records. When
# Debian serves a newer kernel, says so, and fails only if something that uapi
# declares no longer holds there.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off
headers=$(scripts/headers.sh)
recorded=$(sed -nE '1s/.*from Linux ([0-9.]+);.*/\1/p' uapi/zsched.go)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
go build -o "$scratch/gen" ./gen
mkdir "$scratch/uapi"
"$scratch/gen" -kernel "$headers" -since testdata/since.txt -o "$scratch/uapi"
found=$(sed -nE '1s/.*from Linux ([0-9.]+);.*/\1/p' "$scratch/uapi/zsched.go")
if [[ $found == "$recorded" ]]; then
	"$scratch/gen" -check -kernel "$headers" -since testdata/since.txt -o uapi 2> >(sed 's/run gen without -check/run make generate/' >&2)
	exit
fi
echo "uapi records Linux $recorded; these headers are of Linux $found: checking that all of uapi holds there"
go run ./scripts/uapicheck "$scratch/uapi"
