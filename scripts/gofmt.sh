#!/usr/bin/env bash
# Fails on Go files that gofmt would change, and names them.
set -euo pipefail
cd "$(dirname "$0")/.."
unformatted=$(gofmt -l gen linux scripts uapi)
if [[ $unformatted ]]; then
	printf 'not as gofmt writes them; run gofmt -w on:\n%s\n' "$unformatted" >&2
	exit 1
fi
