#!/usr/bin/env bash
# cover.sh [PACKAGE...]: runs the tests, here and on the newest kernel, and
# prints, by package, how many of its statements were run by any of them, and the
# functions of which less than nine tenths were. With packages, those here alone.
#
# A library counts in the tests of all of them, a program in its own. So do
# helpers, which are test binaries that are executed once more, if they can write
# where their counters are; those that change the root directory cannot.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
chmod 755 "$data"
mkdir "$data/here" "$data/there"
chmod 777 "$data/here" # helpers, as any user, replace files of each other
status=0

# run ARGUMENT...: go test, whose failures are no reason not to count.
run() {
	go test -count=1 -timeout "${TIMEOUT:-10m}" -cover -covermode=set -exec "env GOCOVERDIR=$data/here" "$@" -args -test.gocoverdir="$data/here" >>"$data/output" || status=$?
}
if [[ $# == 0 ]]; then
	run -coverpkg=./linux/...,./uapi ./linux/... ./uapi
	# shellcheck disable=SC2046 # packages
	run $(go list ./... | grep -vE '/(linux|uapi)(/|$)')
	go run ./scripts/vm -short -cover "$data/there" >>"$data/output" || status=$?
else
	run "$@"
fi
grep -v -e '^error: coverage' -e '^warning: GOCOVERDIR' -e '^ok' -e '^PASS$' -e 'no test files' -e '^coverage: ' -e 'coverage: 0.0%' "$data/output" || true
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
