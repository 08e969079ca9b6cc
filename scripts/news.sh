#!/usr/bin/env bash
# Prints what the newest kernel that Debian serves, or KERNEL, has and this module
# does not handle.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off
headers=$(scripts/headers.sh)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
go run ./gen -kernel "$headers" -o "$scratch/uapi"
sed -nE '1s/.*from (Linux [0-9.]+);.*/\1/p' "$scratch/uapi/zsched.go"
go run ./scripts/news "$scratch/uapi"
