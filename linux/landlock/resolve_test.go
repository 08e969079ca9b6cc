package landlock_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/uapi"
)

// A kernel is what one can restrict, and how much of the attribute it knows.
type kernel struct {
	release     string
	fs          uint64
	net, scopes uint64
	size        uintptr
	flags       uint32 // of landlock_restrict_self
}

// kernels is what each ABI is, written down apart from the package's tables.
var kernels = []kernel{
	0:  {"", 0, 0, 0, 8, 0},
	1:  {"5.13", 0x1fff, 0, 0, 8, 0},
	2:  {"5.19", 0x3fff, 0, 0, 8, 0},
	3:  {"6.2", 0x7fff, 0, 0, 8, 0},
	4:  {"6.7", 0x7fff, 0x3, 0, 16, 0},
	5:  {"6.10", 0xffff, 0x3, 0, 16, 0},
	6:  {"6.12", 0xffff, 0x3, 0x3, 24, 0},
	7:  {"6.15", 0xffff, 0x3, 0x3, 24, 0x7},
	8:  {"7.0", 0xffff, 0x3, 0x3, 24, 0x7},
	9:  {"7.1", 0x1ffff, 0x3, 0x3, 24, 0x7},
	10: {"7.2", 0x1ffff, 0xf, 0x3, 48, 0x7},
	11: {"7.3", 0x1ffff, 0xf, 0x3, 48, 0x7},
	12: {"", 0x1ffff, 0xf, 0x3, 48, 0x7}, // later than known: as 11
}

const allLogs = landlock.LogProgram | landlock.NoLogBefore | landlock.NoLogNested

// everything asks for all there is.
func everything() *landlock.Rules {
	return &landlock.Rules{
		Paths: []landlock.Path{
			{Path: "/", Access: landlock.AllAccess},
			{Path: "/tmp", Access: landlock.ConnectUnix, Optional: true, Quiet: true},
		},
		Ports: slices.Concat(
			landlock.Ports(landlock.ConnectTCP, 443, 80),
			[]landlock.Port{{Port: 80, Access: landlock.BindTCP | landlock.ConnectUDP, Quiet: true}},
			landlock.Ports(landlock.BindUDP, 0)),
		QuietScopes: landlock.Signals,
		Log:         allLogs,
	}
}

func TestResolveOnEveryABI(t *testing.T) {
	for abi, k := range kernels {
		t.Run(fmt.Sprint("best effort ", abi), func(t *testing.T) {
			rules := everything()
			rules.BestEffort = true
			got, err := rules.Resolve(abi)
			if err != nil {
				t.Fatal(err)
			}
			if abi == 0 {
				if !got.Empty() || len(got.Paths)+len(got.Ports) > 0 || got.RestrictFlags != 0 || got.Size != 0 {
					t.Errorf("got %+v, want nothing to be done", got)
				}
			} else {
				want := uapi.LandlockRulesetAttr{HandledAccessFs: k.fs, HandledAccessNet: k.net, Scoped: k.scopes}
				if abi >= 10 {
					want.QuietAccessFs, want.QuietAccessNet, want.QuietScoped = k.fs, k.net, 2
				}
				if got.Attr != want || got.Size != k.size || got.RestrictFlags != k.flags {
					t.Errorf("got %+v, %d bytes, flags %#x, want %+v, %d, %#x", got.Attr, got.Size, got.RestrictFlags, want, k.size, k.flags)
				}
				if p := got.Paths[0]; uint64(p.Allowed) != k.fs || uint64(p.AllowedFile) != k.fs&0x1c007 || p.Flags != 0 {
					t.Errorf("got rule %+v, want that it allows %#x, a file %#x", p, k.fs, k.fs&0x1c007)
				}
			}
			if (len(got.LeftOut) == 0) != (abi >= 10) {
				t.Errorf("left out: %q", got.LeftOut)
			}
			for _, text := range got.LeftOut {
				if _, after, ok := strings.Cut(text, ": needs Landlock ABI "); !ok || !slices.ContainsFunc(kernels[abi+1:], func(later kernel) bool {
					return later.release != "" && strings.HasSuffix(after, "(Linux "+later.release+")")
				}) {
					t.Errorf("left out %q, want ABI and release of a later kernel", text)
				}
			}
		})
		t.Run(fmt.Sprint("strict ", abi), func(t *testing.T) {
			got, err := everything().Resolve(abi)
			if abi >= 10 {
				if err != nil || uint64(got.Attr.HandledAccessFs) != k.fs || got.LeftOut != nil {
					t.Errorf("got %+v, %v", got, err)
				}
				return
			}
			var e *landlock.UnsupportedError
			if !errors.Is(err, errors.ErrUnsupported) || !errors.As(err, &e) || e.ABI != 10 || e.Release != "7.2" || e.Kernel != abi || !strings.Contains(e.Feature, "BindUDP, ConnectUDP") && abi > 0 || abi == 0 && e.Feature != "Landlock" {
				t.Errorf("got error %v, want one that names UDP, ABI 10 and Linux 7.2", err)
			}
			if !reflect.DeepEqual(got, landlock.Resolved{}) {
				t.Errorf("with the error: got %+v, want nothing", got)
			}
		})
		if abi == 0 || k.release == "" {
			continue
		}
		// Rules up to an ABI are the same on it and on all later kernels, and an
		// error that names its release on earlier ones.
		t.Run(fmt.Sprint("up to ", abi), func(t *testing.T) {
			rules := &landlock.Rules{Paths: landlock.ReadOnly("/"), ABI: abi}
			for running := range kernels {
				got, err := rules.Resolve(running)
				switch {
				case kernels[running].fs|0x2000 != k.fs|0x2000 && kernels[running].fs&k.fs != k.fs,
					kernels[running].net&k.net != k.net, kernels[running].scopes&k.scopes != k.scopes:
					var e *landlock.UnsupportedError
					if !errors.As(err, &e) || e.ABI > abi || e.ABI <= running || e.Release != kernels[e.ABI].release {
						t.Errorf("on ABI %d: got error %v", running, err)
					}
				case err != nil:
					t.Errorf("on ABI %d: %v", running, err)
				case got.Attr.HandledAccessFs|0x2000 != k.fs|0x2000, got.Attr.HandledAccessNet != k.net, got.Attr.Scoped != k.scopes:
					t.Errorf("on ABI %d: got %+v", running, got.Attr)
				}
			}
		})
	}
}

// Each kind of access alone names itself and the release that brought it.
func TestUnsupportedNamesRight(t *testing.T) {
	for name, test := range map[string]struct {
		rules landlock.Rules
		abi   int
	}{
		"Truncate":     {landlock.Rules{Free: landlock.AllAccess &^ (landlock.Truncate | landlock.Refer), FreeNet: landlock.AllNet, FreeScopes: landlock.AllScopes}, 3},
		"IoctlDevice":  {landlock.Rules{Free: landlock.AllAccess &^ (landlock.IoctlDevice | landlock.Refer), FreeNet: landlock.AllNet, FreeScopes: landlock.AllScopes}, 5},
		"ConnectUnix":  {landlock.Rules{Free: landlock.AllAccess &^ (landlock.ConnectUnix | landlock.Refer), FreeNet: landlock.AllNet, FreeScopes: landlock.AllScopes}, 9},
		"Refer":        {landlock.Rules{Free: landlock.AllAccess &^ (landlock.ReadFile | landlock.Refer), FreeNet: landlock.AllNet, FreeScopes: landlock.AllScopes, Paths: landlock.Paths(landlock.Refer, "/tmp")}, 2},
		"BindTCP":      {landlock.Rules{Free: landlock.AllAccess, FreeNet: landlock.AllNet &^ landlock.BindTCP, FreeScopes: landlock.AllScopes}, 4},
		"ConnectUDP":   {landlock.Rules{Free: landlock.AllAccess, FreeNet: landlock.AllNet &^ landlock.ConnectUDP, FreeScopes: landlock.AllScopes}, 10},
		"Signals":      {landlock.Rules{Free: landlock.AllAccess, FreeNet: landlock.AllNet, FreeScopes: landlock.AbstractUnix}, 6},
		"AbstractUnix": {landlock.Rules{Free: landlock.AllAccess, FreeNet: landlock.AllNet, FreeScopes: landlock.Signals}, 6},
		"LogProgram":   {landlock.Rules{ABI: 1, Log: landlock.LogProgram}, 7},
		"Quiet":        {landlock.Rules{ABI: 1, Paths: []landlock.Path{{Path: "/", Quiet: true}}}, 10},
	} {
		t.Run(name, func(t *testing.T) {
			if r, err := test.rules.Resolve(test.abi); err != nil || r.Empty() {
				t.Errorf("on ABI %d: got %+v, %v, want rules", test.abi, r, err)
			}
			_, err := test.rules.Resolve(test.abi - 1)
			var e *landlock.UnsupportedError
			if !errors.As(err, &e) || e.Feature != name || e.ABI != test.abi || e.Release != kernels[test.abi].release {
				t.Fatalf("on ABI %d: got error %v, want one about %s", test.abi-1, err, name)
			}
			if text := e.Error(); !strings.Contains(text, name) || !strings.Contains(text, e.Release) {
				t.Errorf("got %q", text)
			}
		})
	}
}

// Moving is denied by ABI 1 whenever another right is, and only then.
func TestReferIsEnforcedOrMissing(t *testing.T) {
	only := landlock.Rules{Free: landlock.AllAccess &^ landlock.Refer, FreeNet: landlock.AllNet, FreeScopes: landlock.AllScopes}
	if _, err := only.Resolve(1); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("nothing but Refer on ABI 1: got error %v", err)
	}
	if r, err := only.Resolve(2); err != nil || r.Attr.HandledAccessFs != uapi.LANDLOCK_ACCESS_FS_REFER {
		t.Errorf("nothing but Refer on ABI 2: got %+v, %v", r.Attr, err)
	}
	rules := landlock.Rules{ABI: 1, Paths: landlock.ReadWrite("/tmp"), BestEffort: true}
	r, err := rules.Resolve(1)
	if err != nil || len(r.LeftOut) != 1 || !strings.HasPrefix(r.LeftOut[0], "Refer is denied everywhere") {
		t.Errorf("ReadWrite on ABI 1: got left out %q, %v", r.LeftOut, err)
	}
	if r, err := rules.Resolve(7); err != nil || uint64(r.Paths[0].Allowed)&uapi.LANDLOCK_ACCESS_FS_REFER == 0 {
		t.Errorf("up to ABI 1 on ABI 7: got %+v, %v, want that files can be moved", r, err)
	}
}

func TestInvalidRules(t *testing.T) {
	port := func(n int, access landlock.Net) []landlock.Port { return landlock.Ports(access, n) }
	for want, rules := range map[string]landlock.Rules{
		`Paths[0] is empty`:                    {Paths: landlock.ReadOnly("")},
		`Paths[1] "usr" is relative`:           {Paths: landlock.ReadOnly("/", "usr")},
		`Paths[0] "./x" is relative`:           {Paths: landlock.ReadOnly("./x")},
		`Paths[0] "/a\x00b" has a NUL byte`:    {Paths: landlock.ReadOnly("/a\x00b")},
		`Paths[0] "/": right 0x20000 is not`:   {Paths: landlock.Paths(1<<17|landlock.Read, "/")},
		`Paths[0] "/usr" allows nothing`:       {Paths: landlock.Paths(0, "/usr")},
		`Paths[1] "/usr/" is Paths[0] again`:   {Paths: landlock.ReadOnly("/usr", "/usr/")},
		`Paths[1] "//usr" is Paths[0] again`:   {Paths: landlock.ReadOnly("/usr", "//usr")},
		`Ports[0] -1: ports are 0 to 65535`:    {Ports: port(-1, landlock.BindTCP)},
		`Ports[0] 65536: ports are 0 to 65535`: {Ports: port(65536, landlock.BindTCP)},
		`Ports[0] 80: right 0x10 is not`:       {Ports: port(80, 0x10)},
		`Ports[0] 80 allows nothing`:           {Ports: port(80, 0)},
		`Ports[0] allows ConnectTCP to port 0`: {Ports: port(0, landlock.ConnectTCP)},
		`Ports[2] 80 repeats Ports[0]`:         {Ports: slices.Concat(port(80, landlock.ConnectTCP), port(80, landlock.BindTCP), port(80, landlock.ConnectTCP))},
		`Ports[0] 80 allows BindTCP, which`:    {Ports: port(80, landlock.BindTCP), FreeNet: landlock.BindTCP},
		`Ports[0] 53 allows ConnectUDP, which`: {Ports: port(53, landlock.ConnectUDP), ABI: 9},
		`Free has Refer`:                       {Free: landlock.Refer},
		`but Free is AllAccess`:                {Free: landlock.AllAccess, Paths: landlock.ReadOnly("/")},
		`Free: 0x20000 is not known`:           {Free: 1 << 17},
		`FreeNet: 0x10 is not known`:           {FreeNet: 0x10},
		`FreeScopes: 0x4 is not known`:         {FreeScopes: 4},
		`Log: 0x8 is not known`:                {Log: 8},
		`but nothing is restricted`:            {Log: landlock.LogProgram, Free: landlock.AllAccess, FreeNet: landlock.AllNet, FreeScopes: landlock.AllScopes},
		`ABI -1: this package knows 1 to 11`:   {ABI: -1},
		`ABI 12: this package knows 1 to 11`:   {ABI: 12},
		`QuietAccess without a Quiet path`:     {QuietAccess: landlock.Read},
		`QuietNet without a Quiet port`:        {QuietNet: landlock.BindTCP},
		`QuietScopes has Signals, which`:       {QuietScopes: landlock.Signals, FreeScopes: landlock.Signals},
		`QuietAccess has ReadFile, which`:      {QuietAccess: landlock.ReadFile, Free: landlock.ReadFile, Paths: []landlock.Path{{Path: "/", Quiet: true}}},
		`QuietNet has BindUDP, which`:          {QuietNet: landlock.BindUDP, FreeNet: landlock.BindUDP, Ports: []landlock.Port{{Port: 1, Quiet: true}}},
		`leaves all ports free`:                {FreeNet: landlock.AllNet, Ports: []landlock.Port{{Port: 1, Quiet: true}}},
	} {
		rules.BestEffort = true // which is not about errors like these
		for _, abi := range []int{0, 1, 11} {
			r, err := rules.Resolve(abi)
			if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, syscall.EINVAL) {
				t.Errorf("got error %v, want %q that is EINVAL", err, want)
			}
			if !reflect.DeepEqual(r, landlock.Resolved{}) {
				t.Errorf("%s: with the error: %+v", want, r)
			}
		}
	}
	// What may look like a duplicate, and is none.
	rules := landlock.Rules{Paths: landlock.ReadOnly("/usr/../etc", "/etc"), Ports: slices.Concat(port(80, landlock.BindTCP), port(80, landlock.ConnectTCP))}
	if r, err := rules.Resolve(11); err != nil || len(r.Paths) != 2 || len(r.Ports) != 1 || r.Ports[0].Allowed != landlock.BindTCP|landlock.ConnectTCP {
		t.Errorf("got %+v, %v", r, err)
	}
	if _, err := rules.Resolve(-1); err == nil {
		t.Error("ABI -1: got no error")
	}
}

// Optional returns rules of its own, and Write has both that change what is in a file.
func TestConstructors(t *testing.T) {
	given := landlock.ReadWrite("/a", "/b")
	if got := landlock.Optional(given); !got[0].Optional || !got[1].Optional || given[0].Optional {
		t.Errorf("got %v from %v, want a copy that is optional", got, given)
	}
	if want := landlock.WriteFile | landlock.Truncate; given[0].Access&want != want || given[0].Access&(landlock.Execute|landlock.CreateDevice) != 0 {
		t.Errorf("ReadWrite allows %v", given[0].Access)
	}
	if got := landlock.ReadExecute("/")[0].Access &^ landlock.ReadOnly("/")[0].Access; got != landlock.Execute {
		t.Errorf("ReadExecute allows %v more than ReadOnly", got)
	}
	for set, want := range map[fmt.Stringer]string{
		landlock.AllAccess | 1<<40: "AllAccess|0x10000000000", landlock.Access(0): "0", landlock.Net(0x10): "0x10",
		landlock.AllScopes: "AbstractUnix|Signals", landlock.Log(8) | landlock.NoLogBefore: "NoLogBefore|0x8",
	} {
		if got := set.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
