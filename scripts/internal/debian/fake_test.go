package debian

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A fake stands in for apt-get, apt-cache and dpkg-deb. It behaves as the
// files of dir say.
type fake struct {
	t   *testing.T
	dir string
}

// fakeProgram is all three. A package is a file with its name and version.
const fakeProgram = `#!/bin/sh
PATH=/usr/bin:/bin
dir=${0%/bin/*}
for last; do :; done
fatal() { cat "$1" >&2; exit 100; }

case ${0##*/} in
dpkg-deb)
	case $1 in
	-x) cp "$2" "$3/unpacked" ;;
	--fsys-tarfile)
		mkdir -p "$dir/pkg/boot" && cp "$2" "$dir/pkg/boot/vmlinuz-1"
		# More than fits into a pipe.
		mkdir -p "$dir/pkg/usr/lib" && head -c 4000000 /dev/zero >"$dir/pkg/usr/lib/big.ko"
		tar -C "$dir/pkg" -c ./boot ./usr ;;
	esac
	exit ;;
esac

# deb [...] URI SUITE main
suite=$(cut -d ' ' -f 4 "${2%/*}/sources.list")
case $* in
*' update')
	echo "update:$suite" >>"$dir/calls"
	if [ -e "$dir/fail-$suite" ]; then fatal "$dir/fail-$suite"; fi
	if [ ! -e "$dir/suite-$suite" ]; then
		echo "E: The repository 'http://mirror.invalid/debian $suite Release' does not have a Release file." >&2
		exit 100
	fi ;;
*' download '*)
	echo "download:$last" >>"$dir/calls"
	if [ -e "$dir/fail-download" ]; then mv "$dir/fail-download" "$dir/failed"; fatal "$dir/failed"; fi
	echo "$last" >"${last%=*}_${last#*=}_all.deb" ;;
*' pkgnames') cut -d ' ' -f 1 "$dir/suite-$suite" ;;
*' madison '*) sed "s, , | ,; s,\$, | http://mirror.invalid/debian $suite/main amd64 Packages," "$dir/suite-$suite" ;;
esac
`

// newFake makes the fakes the only programs in PATH, and the cache an empty
// one. The mirror has the suites that serve is called with.
func newFake(t *testing.T) fake {
	t.Helper()
	if _, err := keyring(); err != nil {
		t.Skip(err)
	}
	f := fake{t, t.TempDir()}
	bin := filepath.Join(f.dir, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"apt-get", "apt-cache", "dpkg-deb"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(fakeProgram), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	t.Setenv("DEBIAN_MIRROR", "http://mirror.invalid/debian")
	t.Setenv("CLONE3_CACHE", filepath.Join(f.dir, "cache"))
	return f
}

// serve makes the mirror serve packages, each "name version", in a suite.
func (f fake) serve(suite string, packages ...string) {
	f.write("suite-"+suite, strings.Join(packages, "\n")+"\n")
}

// fail makes updates of a suite fail with a message, or succeed again.
func (f fake) fail(suite, message string) {
	if message == "" {
		os.Remove(filepath.Join(f.dir, "fail-"+suite))
		return
	}
	f.write("fail-"+suite, message+"\n")
}

func (f fake) write(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

// calls returns what apt-get was asked for since the last call, like
// "update:sid" and "download:linux-libc-dev=6.1-1".
func (f fake) calls() []string {
	name := filepath.Join(f.dir, "calls")
	text, _ := os.ReadFile(name)
	os.Remove(name)
	return strings.Fields(string(text))
}
