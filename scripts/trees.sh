#!/usr/bin/env bash
# trees.sh COMMAND...: fetches the kernel trees that tests and benchmarks read
# into the cache, where they look for them, and runs the command. A release
# that is no longer served is skipped by its tests.
set -euo pipefail
cd "$(dirname "$0")/.."
for tree in headers "headers 6.12" "headers 6.1" source "source 6.12"; do
	# shellcheck disable=SC2086 # two words
	go run ./scripts/fetch $tree >/dev/null || echo "no $tree: the tests that need it are skipped" >&2
done
exec "$@"
