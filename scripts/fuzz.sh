#!/usr/bin/env bash
# fuzz.sh TIME: runs every fuzz target of every package for TIME.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off
packages=$(go list ./...)
for package in $packages; do
	tests=$(go test -list '^Fuzz' "$package")
	for target in $(grep '^Fuzz' <<<"$tests" || true); do
		echo "$package $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" "$package"
	done
done
