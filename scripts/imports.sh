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

# importers PATTERN: the packages that import such a package themselves.
importers() {
	local all
	all=$(go list -f '{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}{{"\n"}}{{end}}' ./...) || return
	sed -nE "s,^$module/(.*) $1\$,\\1,p" <<<"$all" | grep . || { echo "no package imports $1, which this script guards" >&2; return 1; }
}

for arch in amd64 386 mips; do
	GOARCH=$arch go list -f '{{join .Imports "\n"}}' ./uapi | sed '/^$/d' | rule uapi 'unsafe' 'imports nothing but unsafe' || failed=1
done
importers 'modernc\.org/cc/v4' | rule cc 'gen/internal/c' 'is imported by gen/internal/c alone' || failed=1
importers 'github\.com/dave/jennifer/jen' | rule jennifer 'gen/internal/golang' 'is imported by gen/internal/golang alone' || failed=1
# What each floor of gen knows of the others; what it may know of the disk.
for package in kernel c golang model parallel textfs; do
	case $package in
	kernel | c) below="$module/gen/internal/(model|textfs)" ;;
	golang) below="$module/gen/internal/(model|parallel)" ;;
	*) below='' ;;
	esac
	deps "./gen/internal/$package" | sed -n "\,^$module/,p" | rule "gen/internal/$package" "$below" 'knows only the floors below it' || failed=1
done
importers 'os' | sed -n '/^gen/p' | rule os 'gen|gen/internal/(kernel|gentest)' 'is for the command and for the reader of kernels, in gen' || failed=1
deps ./gen | rule gen "$module/gen/internal/(kernel|c|golang|model|parallel|textfs)|github.com/(dave/jennifer/jen|rogpeppe/go-internal/diff)|modernc.org/.*|github.com/remyoudompheng/bigfft" 'needs no other module, nothing of its tests, and not uapi or linux, without which it must build' || failed=1
# imports PACKAGE: what it imports itself.
imports() { go list -f '{{join .Imports "\n"}}' "$1"; }

packages=$(go list ./linux/...)
for package in ${packages:?./linux has no package}; do
	deps "./${package#"$module/"}" | rule "$package" "$module/(uapi|linux(/.*)?)|golang.org/x/sys/unix(/.*)?" 'imports uapi and golang.org/x/sys/unix only' || failed=1
	if imports "$package" | grep -qx "$module/linux/internal/table"; then
		rule "$package" "$module/linux" 'only package linux builds tables' <<<"$package" || failed=1
	fi
done
deps ./linux/landlock | rule linux/landlock "$module/uapi" 'is a value: it knows nothing of how it is applied' || failed=1
imports ./linux/internal/program | rule linux/internal/program "unsafe|runtime|$module/uapi" 'imports nothing that is initialised after it' || failed=1
deps ./linux/internal/table | rule linux/internal/table "$module/(uapi|linux/internal/program)|golang.org/x/sys/unix(/.*)?" 'knows nothing of what is above it' || failed=1
deps ./linux/seccomp | rule linux/seccomp "$module/uapi" 'imports uapi alone: it makes no system call' || failed=1
deps ./linux | rule linux "$module/(uapi|linux/(internal/.*|landlock|seccomp))|golang.org/x/sys/unix(/.*)?" 'imports nothing that is above it' || failed=1
exit $failed
