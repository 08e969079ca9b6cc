package main

import (
	"bytes"
	"go/version"
	"io"
	"reflect"
	"slices"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/gentest"

	"github.com/go-clone3/clone3/gen/internal/golang"
	"github.com/go-clone3/clone3/gen/internal/kernel"
	"github.com/go-clone3/clone3/gen/internal/model"
)

// since is when the kernel got some names of the default groups, so that older
// kernels must lack them and newer ones must not.
var since = map[string]string{
	"CLONE_VM":             "2.6",
	"struct clone_args":    "5.3",
	"__NR_clone3":          "5.3",
	"struct pidfd_info":    "6.13",
	"PIDFD_GET_INFO":       "6.13",
	"PIDFD_SELF":           "6.15",
	"CLONE_AUTOREAP":       "7.1",
	"CLONE_PIDFD_AUTOKILL": "7.1",
}

// TestEveryKernel makes package uapi from all the kernels in the cache, of
// which the newest must have everything that is asked for.
func TestEveryKernel(t *testing.T) {
	uapi := map[string][]golang.File{} // by version
	newest, lacks := "", []string(nil)
	for _, form := range []string{"headers-*", "linux-*"} {
		for _, dir := range gentest.CachedTrees(t, form) {
			tree, err := kernel.OpenTree(dir)
			if err != nil {
				t.Fatal(err)
			}
			release := tree.Version
			t.Run(form[:len(form)-1]+release, func(t *testing.T) {
				has := slices.DeleteFunc(slices.Clone(model.Arches), func(a model.Arch) bool {
					_, err := tree.Includes(a)
					return err != nil
				})
				c := command{options{kernel: dir, arches: has}, io.Discard, io.Discard}
				r, err := c.read(dir)
				if err != nil {
					t.Fatal(err)
				}
				files, err := render(r[0], "uapi")
				if err != nil {
					t.Fatal(err)
				}
				checkSince(t, release, r[0].units)
				if version.Compare("go"+release, "go"+newest) > 0 {
					newest, lacks = release, append(r[0].lacks.Lines(nil), unfound(r[0]).Lines(nil)...)
				}
				if len(has) < len(model.Arches) {
					return // files of fewer architectures are others
				}
				same := func(a, b golang.File) bool { return a.Name == b.Name && bytes.Equal(a.Data, b.Data) }
				if other, ok := uapi[release]; ok && !slices.EqualFunc(files, other, same) {
					t.Error("the source tree and the package of headers give different files")
				}
				uapi[release] = files
			})
		}
	}
	if newest == "" {
		t.Skip("no kernels in the cache: run `make test`, which fetches them")
	}
	if len(lacks) > 0 {
		t.Errorf("Linux %s lacks what gen asks for: %q", newest, lacks)
	}
}

// The groups of package uapi are read together, which gives the same as reading
// each for itself.
func TestReadingTogetherGivesTheSame(t *testing.T) {
	dirs := gentest.CachedTrees(t, "headers-*")
	for _, dir := range dirs {
		c := command{options{kernel: dir, arches: model.Arches}, io.Discard, io.Discard}
		k, err := openTree(dir, model.Arches, nil, nil)
		if err != nil {
			continue // some releases are packaged for one architecture
		}
		wants, err := c.wants([]tree{k})
		if err != nil {
			t.Fatal(err)
		}
		p := newProgress(io.Discard, 0)
		together, err := k.read(wants, true, p)
		if err != nil {
			t.Fatal(err)
		}
		apart, err := k.read(wants, false, p)
		if err != nil {
			t.Fatal(err)
		}
		for i, u := range apart.units {
			v := together.units[i]
			u.Before, v.Before = nil, nil
			if !reflect.DeepEqual(u, v) {
				t.Errorf("%s: group %s on %s is another if it is read with the others", k.Version, u.Group.Name, u.Arch)
			}
		}
	}
	if len(dirs) == 0 {
		t.Skip("no kernels in the cache: run `make test`, which fetches them")
	}
}

func checkSince(t *testing.T, release string, units []model.Unit) {
	t.Helper()
	names := map[string]map[string]bool{} // by architecture
	for _, u := range units {
		if names[u.Arch] == nil {
			names[u.Arch] = map[string]bool{}
		}
		for _, c := range u.Consts {
			names[u.Arch][c.Name] = true
		}
		for _, s := range u.Structs {
			names[u.Arch][s.Name] = true
		}
	}
	for arch, has := range names {
		for name, first := range since {
			if want := version.Compare("go"+release, "go"+first) >= 0; has[name] != want {
				t.Errorf("%s: has %s is %v, want %v", arch, name, has[name], want)
			}
		}
	}
}
