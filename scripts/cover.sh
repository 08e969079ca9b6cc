#!/usr/bin/env bash
# cover.sh [PACKAGE...]: runs the tests and prints, by package, how many of its
# statements were run by any of them, and the functions of which less than
# nine tenths were. Programs that tests start of themselves count too.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
chmod 777 "$data" # children that run as another user write there
mkdir -m 777 "$data/counters"
status=0
GOCOVERDIR=$data/counters go test -count=1 -timeout "${TIMEOUT:-10m}" -cover -coverpkg=./... "${@:-./...}" \
	-args -test.gocoverdir="$data/counters" >"$data/output" || status=$?
grep -v -e '^ok' -e 'no test files' -e 'coverage: 0.0%' "$data/output" || true
go tool covdata textfmt -i="$data/counters" -o="$data/profile"
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
