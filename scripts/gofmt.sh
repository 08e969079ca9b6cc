#!/usr/bin/env bash
# Fails on Go files that gofmt would change, and names them. The gofmt is that
# of the Go that go.mod asks for, which need not be the first in PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off
goroot=$(go env GOROOT)
unformatted=$("$goroot/bin/gofmt" -l gen linux scripts uapi testdata/adopters)
if [[ $unformatted ]]; then
	printf 'not as gofmt writes them; run gofmt -w on:\n%s\n' "$unformatted" >&2
	exit 1
fi
