#!/usr/bin/env bash
# cover.sh [PACKAGE...]: runs the tests, here and on the newest kernel, and
# prints, by package, how many of its statements were run by any of them, and the
# functions of which less than nine tenths were. With packages, here alone.
# Helpers, which are test binaries that are executed once more, do not count:
# package testing alone writes counters, at its end.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
mkdir "$data/here" "$data/there"
status=0
go test -count=1 -timeout "${TIMEOUT:-10m}" -cover -covermode=set -coverpkg=./... "${@:-./...}" \
	-args -test.gocoverdir="$data/here" >"$data/output" || status=$?
if [[ $# == 0 ]]; then
	go run ./scripts/vm -cover "$data/there" >>"$data/output" || status=$?
fi
grep -v -e '^ok' -e '^PASS$' -e 'no test files' -e '^coverage: ' -e 'coverage: 0.0%' "$data/output" || true
go tool covdata textfmt -i="$data/here,$data/there" -o="$data/profile"
awk 'NR > 1 { n[$1] = $2; if ($3 > 0) hit[$1] = 1 }
	END {
		for (block in n) {
			dir = block; sub(/\/[^\/]*$/, "", dir)
			all[dir] += n[block]
			if (block in hit) run[dir] += n[block]
		}
		for (dir in all) printf "%5.1f %%  %s\n", 100 * run[dir] / all[dir], dir
	}' "$data/profile" | sort -k3
echo
echo 'functions below 90 %:'
go tool cover -func="$data/profile" | awk '$1 != "total:" && $NF + 0 < 90'
exit $status
