#!/usr/bin/env bash
# The walls between the packages: who may import what. A rule that finds nothing
# to look at is broken, and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off
module=$(go list -m)
failed=0

# deps PACKAGE: what it imports, directly or not, outside the standard library.
deps() {
	local all
	all=$(go list -deps -f '{{if not .Standard}}{{.ImportPath}}{{end}}' "$1") || return
	grep -vx "$module/${1#./}" <<<"$all" || true
}

# rule WHO PATTERN WHY: reads imports, and complains of those that do not match.
rule() {
	local bad
	bad=$(grep -vxE "$2" || true)
	if [[ $bad ]]; then
		printf '%s: %s, but there is:\n%s\n' "$1" "$3" "$bad" >&2
		return 1
	fi
}

# users PATTERN: the files of gen that have it.
users() {
	local files
	files=$(grep -lE "$1" gen/*.go | grep -v _test.go) || { echo "no file of gen has $1, which this script guards" >&2; return 1; }
	xargs -n1 basename <<<"$files"
}

for arch in amd64 386 mips; do
	GOARCH=$arch go list -f '{{join .Imports "\n"}}' ./uapi | sed '/^$/d' | rule uapi 'unsafe' 'imports nothing but unsafe' || failed=1
done
deps ./gen | sed -n "\\,^$module/,p" | rule gen '' 'never imports uapi or linux: it must build when they do not' || failed=1
users '"modernc.org/cc/v4"' | rule gen 'parse.*\.go' 'only parse.go may import cc' || failed=1
users '"github.com/dave/jennifer' | rule gen 'render.*\.go' 'only render.go may import jennifer' || failed=1
users '\bos\.(Chmod|Create|DirFS|Lstat|Mkdir|Open|Read|Remove|Rename|Stat|Write)' | rule gen '(main|tree|output)\.go' 'only main.go, tree.go and output.go touch the disk' || failed=1
# imports PACKAGE: what it imports itself.
imports() { go list -f '{{join .Imports "\n"}}' "$1"; }

packages=$(go list ./linux/...)
for package in ${packages:?./linux has no package}; do
	deps "./${package#"$module/"}" | rule "$package" "$module/(uapi|linux(/.*)?)|golang.org/x/sys/unix(/.*)?" 'imports uapi and golang.org/x/sys/unix only' || failed=1
	if imports "$package" | grep -qx "$module/linux/internal/table"; then
		rule "$package" "$module/linux" 'only package linux builds tables' <<<"$package" || failed=1
	fi
done
imports ./linux/internal/program | rule linux/internal/program "unsafe|runtime|$module/uapi" 'imports nothing that is initialised after it' || failed=1
deps ./linux/internal/table | rule linux/internal/table "$module/(uapi|linux/internal/program)|golang.org/x/sys/unix(/.*)?" 'knows nothing of what is above it' || failed=1
deps ./linux | rule linux "$module/(uapi|linux/internal/.*)|golang.org/x/sys/unix(/.*)?" 'imports nothing that is above it' || failed=1
exit $failed
