package landlock_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/uapi"
)

// holds reports what is wrong with what rules have come to, whatever they are.
func holds(r *landlock.Rules, abi int, got landlock.Resolved, err error) string {
	k := kernels[min(abi, 11)]
	upTo := kernels[min(11, max(r.ABI, 0))]
	if r.ABI == 0 {
		upTo = kernels[11]
	}
	asked := uapi.LandlockRulesetAttr{HandledAccessFs: upTo.fs &^ uint64(r.Free), HandledAccessNet: upTo.net &^ uint64(r.FreeNet), Scoped: upTo.scopes &^ uint64(r.FreeScopes)}
	a := got.Attr
	switch {
	case err != nil && !reflect.DeepEqual(got, landlock.Resolved{}):
		return "a result with an error"
	case err != nil && r.BestEffort && errors.Is(err, errors.ErrUnsupported):
		return "unsupported with BestEffort"
	case err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, syscall.EINVAL):
		return "an error of no kind"
	case err != nil:
		return ""
	// Strict: nothing that was asked for is missing, but for moves, which ABI 1
	// denies with any other right.
	case !r.BestEffort && len(got.LeftOut) > 0:
		return "left out without BestEffort"
	case !r.BestEffort && asked.HandledAccessFs&^a.HandledAccessFs&^uapi.LANDLOCK_ACCESS_FS_REFER != 0,
		!r.BestEffort && asked.HandledAccessFs != 0 && a.HandledAccessFs == 0,
		!r.BestEffort && asked.HandledAccessNet&^a.HandledAccessNet != 0,
		!r.BestEffort && asked.Scoped&^a.Scoped != 0:
		return "less is handled than was asked for"
	case r.BestEffort && len(got.LeftOut) == 0 && (asked.HandledAccessNet != a.HandledAccessNet || asked.Scoped != a.Scoped):
		return "left out without a word"
	// What landlock_create_ruleset(2) refuses.
	case a.HandledAccessFs&^k.fs != 0, a.HandledAccessNet&^k.net != 0, a.Scoped&^k.scopes != 0, got.RestrictFlags&^k.flags != 0:
		return "more than the kernel knows"
	case a.QuietAccessFs&^a.HandledAccessFs != 0, a.QuietAccessNet&^a.HandledAccessNet != 0, a.QuietScoped&^a.Scoped != 0:
		return "quiet about what is not handled"
	case !got.Empty() && got.Size != k.size:
		return "not the size that the kernel knows"
	case got.Size < 48 && (a.QuietAccessFs|a.QuietAccessNet|a.QuietScoped) != 0, got.Size < 24 && a.Scoped != 0, got.Size < 16 && a.HandledAccessNet != 0:
		return "something beyond the size"
	}
	// What landlock_add_rule(2) refuses.
	last := -1
	for _, p := range got.Paths {
		if p.Allowed == 0 && p.Flags == 0 || uint64(p.Allowed)&^a.HandledAccessFs != 0 || p.AllowedFile&^p.Allowed != 0 || uint64(p.AllowedFile)&^0x1c007 != 0 || p.Flags != 0 && a.QuietAccessFs == 0 {
			return fmt.Sprintf("a rule that the kernel refuses: %+v", p)
		}
	}
	for _, p := range got.Ports {
		if p.Allowed == 0 && p.Flags == 0 || uint64(p.Allowed)&^a.HandledAccessNet != 0 || p.Flags != 0 && a.QuietAccessNet == 0 || int(p.Port) <= last {
			return fmt.Sprintf("a rule that the kernel refuses: %+v", p)
		}
		last = int(p.Port)
	}
	// Nothing is allowed that no rule allows, and all that one allows.
	for _, p := range r.Paths {
		allowed := uint64(p.Access) & a.HandledAccessFs
		i := slices.IndexFunc(got.Paths, func(g landlock.ResolvedPath) bool { return g.Path == p.Path })
		if i < 0 && allowed != 0 || i >= 0 && uint64(got.Paths[i].Allowed) != allowed {
			return "not what the path " + p.Path + " allows"
		}
	}
	return ""
}

// random returns rules of all kinds, most of them valid, from a seed.
func random(seed uint64) *landlock.Rules {
	rnd := rand.New(rand.NewPCG(seed, 1))
	some := func(all uint64) uint64 { // often none, or all
		return [...]uint64{0, all, all & rnd.Uint64()}[rnd.IntN(3)]
	}
	r := &landlock.Rules{
		Free: landlock.Access(some(0x1ffff)), FreeNet: landlock.Net(some(0xf)), FreeScopes: landlock.Scope(some(3)),
		ABI: rnd.IntN(12), BestEffort: rnd.IntN(2) == 0, Log: landlock.Log(some(7)),
	}
	if r.Free != landlock.AllAccess {
		r.Free &^= landlock.Refer
		for i := range rnd.IntN(4) {
			r.Paths = append(r.Paths, landlock.Path{Path: fmt.Sprint("/", i), Access: landlock.Access(some(0x1ffff)), Quiet: rnd.IntN(4) == 0})
		}
	}
	for i := range rnd.IntN(4) {
		r.Ports = append(r.Ports, landlock.Port{Port: i, Access: landlock.Net(some(0xf)), Quiet: rnd.IntN(4) == 0})
	}
	if rnd.IntN(4) == 0 {
		r.QuietAccess, r.QuietNet, r.QuietScopes = landlock.Access(some(0x1ffff)), landlock.Net(some(0xf)), landlock.Scope(some(3))
	}
	return r
}

func TestNeverLessThanAsked(t *testing.T) {
	valid := map[bool]int{}
	for seed := range uint64(4000) {
		for abi := range kernels {
			r := random(seed)
			before := fmt.Sprintf("%+v", r)
			got, err := r.Resolve(abi)
			if wrong := holds(r, abi, got, err); wrong != "" {
				t.Fatalf("seed %d, ABI %d: %s\n%s\n%+v, %v", seed, abi, wrong, before, got, err)
			}
			if after := fmt.Sprintf("%+v", r); after != before {
				t.Fatalf("the rules were changed from %s to %s", before, after)
			}
			valid[r.BestEffort] += map[bool]int{true: 1}[err == nil]
		}
	}
	if valid[true] < 1500 || valid[false] < 1500 {
		t.Errorf("only %v rules of those were valid", valid)
	}
}

func FuzzResolve(f *testing.F) {
	f.Add("/usr\n/tmp", uint64(0xf), uint64(0), uint32(0), 7, 0, 443, true)
	f.Add("/\n/\x00", ^uint64(0), uint64(1<<17), uint32(9), 12, 3, -1, false)
	f.Fuzz(func(t *testing.T, paths string, access, free uint64, log uint32, abi, upTo, port int, flag bool) {
		r := &landlock.Rules{
			Free: landlock.Access(free), FreeNet: landlock.Net(free >> 32), FreeScopes: landlock.Scope(free >> 48), ABI: upTo, BestEffort: flag, Log: landlock.Log(log),
			Ports:       []landlock.Port{{Port: port, Access: landlock.Net(access >> 32), Quiet: log&8 != 0}},
			QuietScopes: landlock.Scope(access >> 48),
		}
		for p := range strings.SplitSeq(paths, "\n") {
			r.Paths = append(r.Paths, landlock.Path{Path: p, Access: landlock.Access(access), Quiet: !flag})
		}
		got, err := r.Resolve(abi)
		if abi < 0 && err == nil {
			t.Fatal("a negative ABI is no error")
		}
		if wrong := holds(r, max(abi, 0), got, err); wrong != "" {
			t.Fatalf("%s: %+v on ABI %d: %+v, %v", wrong, r, abi, got, err)
		}
		for _, p := range got.Paths {
			if p.Path == "" || p.Path[0] != '/' || strings.Contains(p.Path, "\x00") {
				t.Fatalf("path %q", p.Path)
			}
		}
	})
}
