#!/usr/bin/env bash
# trees.sh COMMAND...: fetches the kernel trees that tests and benchmarks read
# into the cache, where they look for them, and runs the command. A release
# that is no longer served is skipped by its tests, which it names.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
go build -o "$scratch/fetch" ./scripts/fetch
lacks='' said=''
for tree in headers "headers 6.12" "headers 6.1" source "source 6.12"; do
	# shellcheck disable=SC2086 # two words
	"$scratch/fetch" $tree >/dev/null 2>"$scratch/why" || {
		lacks+=${lacks:+, }$tree
		why=$(<"$scratch/why")
		[[ $why == "$said" ]] || echo "$why" >&2 # of all trees alike if the mirror does not answer
		said=$why
	}
done

# complain says what is not tested: tests look for trees with gentest.CachedTrees.
complain() {
	local tests
	tests=$(find gen -name '*_test.go' -exec awk '
		/^func / { name = $2; sub(/\(.*/, "", name) }
		/[cC]achedTrees\(/ && name ~ /^Test/ { print name }' {} + | sort -u)
	echo "without the kernel trees \"$lacks\" these tests are skipped or read fewer:" $tests >&2
}
status=0
[[ -z $lacks ]] || complain
"$@" || status=$?
[[ -z $lacks ]] || complain
exit $status
