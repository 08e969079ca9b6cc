package debian

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const dev = "linux-libc-dev "

func content(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestHeadersAreThoseOfTheNewestKernel(t *testing.T) {
	f := newFake(t)
	f.serve("sid", dev+"7.2.13-1")
	f.serve("trixie-backports", dev+"7.2.9-1~bpo13+1", dev+"7.3.4-1~bpo13+1", dev+"7.10~rc1-1")
	f.serve("bookworm", dev+"6.1.176-1")
	dir, err := new(Archive).Headers("")
	if err != nil {
		t.Fatal(err)
	}
	if got := filepath.Base(dir); got != "headers-7.3.4" {
		t.Errorf("got %s", got)
	}
	if got := content(t, filepath.Join(dir, "unpacked")); got != "linux-libc-dev=7.3.4-1~bpo13+1\n" {
		t.Errorf("unpacked %q", got)
	}
	files, _ := os.ReadDir(dir)
	if len(files) != 1 {
		t.Errorf("the directory has more than the package: %v", files)
	}
	want := []string{"update:forky-backports", "update:trixie-backports", "update:sid", "download:linux-libc-dev=7.3.4-1~bpo13+1"}
	if got := f.calls(); !slices.Equal(got, want) {
		t.Errorf("apt was asked for %v, want %v", got, want)
	}

	if again, err := new(Archive).Headers(""); again != dir || err != nil {
		t.Errorf("got %s, %v, want %s", again, err, dir)
	}
	if got := f.calls(); len(got) != 0 {
		t.Errorf("with everything in the cache apt was asked for %v", got)
	}
	refreshing := &Archive{Refresh: true}
	for range 2 {
		if version, err := refreshing.Newest(); version != "7.3.4" || err != nil {
			t.Errorf("got %s, %v", version, err)
		}
	}
	if got := f.calls(); !slices.Equal(got, want[:3]) {
		t.Errorf("asked to refresh, apt was asked for %v, want %v", got, want[:3])
	}
}

func TestHeadersOfARelease(t *testing.T) {
	f := newFake(t)
	f.serve("trixie-backports", dev+"7.3.4-1~bpo13+1")
	f.serve("trixie", dev+"6.12.117-1")
	f.serve("bookworm", dev+"6.1.176-1")
	for release, want := range map[string]string{"6.1": "headers-6.1.176", "6.12.117": "headers-6.12.117", "7.3": "headers-7.3.4"} {
		dir, err := new(Archive).Headers(release)
		if filepath.Base(dir) != want || err != nil {
			t.Errorf("%s: got %s, %v, want %s", release, dir, err, want)
		}
	}
	_, err := new(Archive).Headers("7.9")
	if unknown := (*UnknownReleaseError)(nil); !errors.As(err, &unknown) || err.Error() != "7.9: newest served is 7.3.4" {
		t.Errorf("got error %v", err)
	}
	f.calls()
	f.fail("sid", "E: no")
	if dir, err := new(Archive).Headers("6.1.176"); filepath.Base(dir) != "headers-6.1.176" || err != nil {
		t.Errorf("got %s, %v", dir, err)
	}
	if got := f.calls(); len(got) != 0 {
		t.Errorf("a version in the cache never changes, but apt was asked for %v", got)
	}
}

func TestASuiteThatCannotBeReadIsPassedOver(t *testing.T) {
	f := newFake(t)
	f.serve("trixie-backports", dev+"7.3.4-1~bpo13+1")
	f.fail("trixie-backports", "E: Failed to fetch x  File has unexpected size (1 != 2). Mirror sync in progress?")
	f.serve("sid", dev+"7.2.13-1")
	var log strings.Builder
	version, err := (&Archive{Log: &log}).Newest()
	if version != "7.2.13" || err != nil {
		t.Errorf("got %s, %v", version, err)
	}
	if want := "trixie-backports for amd64 is passed over or as old as in the cache: apt-get: Failed to fetch x  File has unexpected size (1 != 2). Mirror sync in progress?\n"; log.String() != want {
		t.Errorf("got log %q, want %q", log.String(), want)
	}
	f.fail("trixie-backports", "")
	if version, err := new(Archive).Newest(); version != "7.3.4" || err != nil {
		t.Errorf("when it could be read again: got %s, %v", version, err)
	}
}

func TestWithoutANetwork(t *testing.T) {
	f := newFake(t)
	f.serve("sid", dev+"7.2.13-1")
	if _, err := new(Archive).Headers(""); err != nil {
		t.Fatal(err)
	}
	offline := func() {
		for _, suite := range append(newSuites, oldSuites...) {
			f.fail(suite, "E: Failed to fetch y  Could not resolve 'mirror.invalid'")
		}
		f.calls()
	}
	offline()
	var log strings.Builder
	a := &Archive{Refresh: true, Log: &log}
	dir, err := a.Headers("")
	if filepath.Base(dir) != "headers-7.2.13" || err != nil {
		t.Errorf("got %s, %v", dir, err)
	}
	if want := "the Debian mirror http://mirror.invalid/debian does not answer (Could not resolve 'mirror.invalid'): the package lists of the cache are used\n"; log.String() != want {
		t.Errorf("got log %q, want %q", log.String(), want)
	}
	if got := f.calls(); len(got) != 1 {
		t.Errorf("the mirror was tried again: %v", got)
	}

	cache, _ := Cache()
	if err := os.RemoveAll(filepath.Join(cache, "apt")); err != nil {
		t.Fatal(err)
	}
	log.Reset()
	if dir, err := (&Archive{Log: &log}).Headers("7.2"); filepath.Base(dir) != "headers-7.2.13" || err != nil {
		t.Errorf("without lists: got %s, %v", dir, err)
	}
	if want := "the Debian mirror http://mirror.invalid/debian does not answer (Could not resolve 'mirror.invalid'): headers-7.2.13 of the cache is used\n"; log.String() != want {
		t.Errorf("without lists: got log %q, want %q", log.String(), want)
	}
	log.Reset()
	const silent = "the Debian mirror http://mirror.invalid/debian does not answer (Could not resolve 'mirror.invalid'): set DEBIAN_MIRROR to the address of another"
	_, err = (&Archive{Log: &log}).Headers("6.1")
	if want := silent + ", or set KERNEL to a directory with kernel headers or sources"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	// A kernel to boot is no directory that KERNEL could name.
	if _, err = (&Archive{Log: &log}).FindKernel("amd64", "cloud-amd64", ""); err == nil || err.Error() != silent {
		t.Errorf("got error %v, want %s", err, silent)
	}
	if log.Len() > 0 {
		t.Errorf("the error was said twice: %q", log.String())
	}
}

func TestListsOfAnotherMirrorAreForgotten(t *testing.T) {
	f := newFake(t)
	f.serve("sid", dev+"7.2.13-1")
	if _, err := new(Archive).Newest(); err != nil {
		t.Fatal(err)
	}
	f.calls()
	t.Setenv("DEBIAN_MIRROR", "http://other.invalid/debian")
	if _, err := new(Archive).Newest(); err != nil {
		t.Fatal(err)
	}
	if got := f.calls(); !slices.Contains(got, "update:sid") {
		t.Errorf("apt was asked for %v", got)
	}
}

func TestOldListsAreUpdated(t *testing.T) {
	f := newFake(t)
	f.serve("sid", dev+"7.2.13-1")
	if _, err := new(Archive).Newest(); err != nil {
		t.Fatal(err)
	}
	f.calls()
	f.serve("sid", dev+"7.3.4-1")
	cache, _ := Cache()
	old := time.Now().Add(-listsAge)
	if err := os.Chtimes(filepath.Join(cache, "apt", "sid-amd64", "stamp"), old, old); err != nil {
		t.Fatal(err)
	}
	if version, err := new(Archive).Newest(); version != "7.3.4" || err != nil {
		t.Errorf("got %s, %v", version, err)
	}
	if got := f.calls(); !slices.Equal(got, []string{"update:sid"}) {
		t.Errorf("apt was asked for %v", got)
	}
}

func TestAPackageThatIsGoneIsLookedForInNewLists(t *testing.T) {
	f := newFake(t)
	f.serve("sid", dev+"7.2.13-1")
	f.write("fail-download", "E: 404  Not Found\n")
	if _, err := new(Archive).Headers(""); err != nil {
		t.Fatal(err)
	}
	got := f.calls()
	want := []string{"download:linux-libc-dev=7.2.13-1", "update:sid", "download:linux-libc-dev=7.2.13-1"}
	if len(got) < 3 || !slices.Equal(got[len(got)-3:], want) {
		t.Errorf("apt was asked for %v, want %v at the end", got, want)
	}
}

func TestKernelComesFromThePackageThatHasIt(t *testing.T) {
	f := newFake(t)
	f.serve("sid",
		"linux-image-7.2.13+deb14-cloud-amd64 7.2.13-1",
		"linux-image-7.2.13+deb14-amd64 7.2.13-1",
		"linux-binary-7.2.13+deb14-cloud-amd64 7.2.13-1",
		"linux-binary-unsigned-7.2.13+deb14-cloud-amd64 7.2.13-1",
		"linux-image-7.2.13+deb14-cloud-amd64-dbg 7.2.13-1",
		"linux-image-cloud-amd64 7.2.13-1")
	f.serve("bookworm", "linux-image-6.1.0-50-cloud-amd64 6.1.176-1")
	for release, want := range map[string]string{"": "linux-binary-7.2.13+deb14-cloud-amd64", "6.1": "linux-image-6.1.0-50-cloud-amd64"} {
		a := new(Archive)
		k, err := a.FindKernel("amd64", "cloud-amd64", release)
		if err != nil || k.From != want {
			t.Fatalf("got %+v, %v, want %s", k, err, want)
		}
		if k, err = a.FetchKernel(k); err != nil {
			t.Fatal(err)
		}
		if got := content(t, k.Path); !strings.HasPrefix(got, want+"=") {
			t.Errorf("the kernel is %.60q", got)
		}
	}
}

func TestWithoutApt(t *testing.T) {
	newFake(t)
	t.Setenv("PATH", t.TempDir())
	_, err := new(Archive).Headers("")
	if want := "there is no apt-get on this machine: use Debian or Ubuntu, or set KERNEL to a directory with kernel headers or sources"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

func TestInstallFillsOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sub", "tree")
	var fills atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			err := Install(dir, func(tmp string) error {
				fills.Add(1)
				if exists(dir) {
					t.Error("the directory is there before it is full")
				}
				return os.WriteFile(filepath.Join(tmp, "file"), nil, 0o644)
			})
			if err != nil || !exists(filepath.Join(dir, "file")) {
				t.Errorf("Install returned %v before the directory was full", err)
			}
		})
	}
	wg.Wait()
	if n := fills.Load(); n != 1 {
		t.Errorf("filled %d times", n)
	}
}

func TestInstallLeavesNothingOfAFailure(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "tree")
	full := fmt.Errorf("write x: %w", syscall.ENOSPC)
	err := Install(dir, func(tmp string) error {
		os.WriteFile(filepath.Join(tmp, "half"), nil, 0o644)
		return full
	})
	if want := "tree: write x: no space left on device: make room, or set CLONE3_CACHE to a directory that has some"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	names, _ := filepath.Glob(filepath.Join(parent, "[^.]*"))
	if len(names) != 0 || exists(hidden(dir, ".tmp")) {
		t.Errorf("left %v", names)
	}
	// What an interrupted run left does not end up in the tree.
	if err := os.MkdirAll(filepath.Join(hidden(dir, ".tmp"), "half"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Install(dir, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if exists(filepath.Join(dir, "half")) {
		t.Error("the tree has a file of an interrupted run")
	}
}
