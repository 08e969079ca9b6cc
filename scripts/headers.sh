#!/usr/bin/env bash
# Prints the directory with kernel headers: $KERNEL, or Debian's newest header
# package, which is fetched into the cache.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ ${KERNEL:-} ]]; then
	echo "$KERNEL"
else
	go run ./scripts/fetch headers
fi
