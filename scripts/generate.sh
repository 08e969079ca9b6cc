#!/usr/bin/env bash
# Writes package uapi from the headers of headers.sh, and says what it did.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off
headers=$(scripts/headers.sh)
sums() { (cd uapi && sha256sum z*.go 2>/dev/null) || true; }
before=$(sums)
go run ./gen -kernel "$headers" -since testdata/since.txt -o uapi
after=$(sums)
changed=$({ diff <(echo "$before") <(echo "$after") || true; } | awk '/^[<>]/ && !seen[$3]++' | wc -l)
release=$(sed -nE '1s/.*from (Linux [0-9.]+);.*/\1/p' uapi/zsched.go)
((changed)) || changed=none
echo "package uapi: $(wc -l <<<"$after") files of $release, from $headers; $changed changed"
