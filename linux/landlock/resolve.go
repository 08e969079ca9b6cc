package landlock

import (
	"cmp"
	"slices"

	"github.com/go-clone3/clone3/uapi"
)

// Resolved is what rules come to on a kernel: the arguments of the system calls
// landlock_create_ruleset, landlock_add_rule and landlock_restrict_self. The zero
// value is [Resolved.Empty].
type Resolved struct {
	// Attr is the ruleset, and Size how much of it the kernel knows, in bytes.
	// The rest is zero.
	Attr uapi.LandlockRulesetAttr
	Size uintptr

	Paths []ResolvedPath // in the order of Rules.Paths
	Ports []ResolvedPort // by number, each once

	// RestrictFlags are those of landlock_restrict_self. Neither
	// LANDLOCK_RESTRICT_SELF_TSYNC nor LANDLOCK_RESTRICT_SELF_NO_NEW_PRIVS is
	// among them: whoever makes the call knows whether he needs them.
	RestrictFlags uint32

	// LeftOut says in words what the kernel cannot enforce, one thing each, such
	// as "Truncate is not restricted: needs Landlock ABI 3 (Linux 6.2)". There is
	// something in it only with Rules.BestEffort.
	LeftOut []string
}

// ResolvedPath is a rule of type LANDLOCK_RULE_PATH_BENEATH.
type ResolvedPath struct {
	Path        string
	Allowed     Access // for a directory
	AllowedFile Access // for what is no directory; if it is 0, and Flags too, the kernel takes no rule for it
	Optional    bool   // a missing path is no error
	Directory   bool   // the path is opened with O_DIRECTORY
	NoFollow    bool   // the path is opened with O_NOFOLLOW
	Flags       uint32 // of landlock_add_rule
	Rule        int    // its index in Rules.Paths
}

// ResolvedPort is a rule of type LANDLOCK_RULE_NET_PORT.
type ResolvedPort struct {
	Port    uint16
	Allowed Net
	Flags   uint32 // of landlock_add_rule
}

// Empty reports whether there is nothing that the kernel is to enforce: it takes
// no such ruleset, and no call is to be made.
func (r *Resolved) Empty() bool {
	return r.Attr.HandledAccessFs == 0 && r.Attr.HandledAccessNet == 0 && r.Attr.Scoped == 0
}

// Resolve returns what the rules come to on a kernel with that Landlock ABI: what
// landlock_create_ruleset returns for LANDLOCK_CREATE_RULESET_VERSION, or 0
// if that fails with ENOSYS or EOPNOTSUPP. An ABI later than MaxABI
// is used as far as this package knows it.
//
// Errors are an [UnsupportedError], unless BestEffort is set, or say what is wrong
// with the rules; then errors.Is(err, syscall.EINVAL).
func (r *Rules) Resolve(abi int) (Resolved, error) {
	if abi < 0 {
		return Resolved{}, invalid("ABI %d of the kernel", abi)
	}
	if err := r.check(); err != nil {
		return Resolved{}, err
	}
	k := kernel{abi: abi}
	access, net, scope := r.handled()
	out := Resolved{Size: attrSize(k.abi)}
	files := enforced(&k, accesses, access&^Refer, "is not restricted")
	switch {
	case k.abi >= 2:
		files |= access & Refer
	case access&Refer != 0 && files == 0: // else ABI 1 denies it without being told
		abi := 2
		if access&^Refer&known(accesses, 1) != 0 {
			abi = 1
		}
		k.lacks("Refer", abi, "is not restricted")
	}
	out.Attr.HandledAccessFs = uint64(files)
	out.Attr.HandledAccessNet = uint64(enforced(&k, nets, net, "is not restricted"))
	out.Attr.Scoped = uint64(enforced(&k, scopes, scope, "is not restricted"))
	out.RestrictFlags = uint32(enforced(&k, logs, r.Log, "is not set"))
	r.resolvePaths(&k, &out)
	r.resolvePorts(&k, &out)
	r.resolveQuiet(&k, &out)
	if len(k.missing) > 0 && !r.BestEffort {
		return Resolved{}, k.unsupported()
	}
	if out.Empty() { // and so nothing is denied, nor logged
		out = Resolved{}
	}
	out.LeftOut = k.leftOut()
	return out, nil
}

func (r *Rules) resolvePaths(k *kernel, out *Resolved) {
	handled := Access(out.Attr.HandledAccessFs)
	for i, p := range r.Paths {
		rule := ResolvedPath{Path: p.Path, Allowed: p.Access & handled, Optional: p.Optional, Directory: p.Directory, NoFollow: p.NoFollow, Rule: i}
		rule.AllowedFile = rule.Allowed & fileAccess
		if p.Quiet && k.abi >= quietABI {
			rule.Flags = uapi.LANDLOCK_ADD_RULE_QUIET
		}
		if p.Access&Refer != 0 && handled != 0 && handled&Refer == 0 {
			k.lacks("Refer", 2, "is denied everywhere")
		}
		if rule.Allowed != 0 || rule.Flags != 0 {
			out.Paths = append(out.Paths, rule)
		}
	}
}

func (r *Rules) resolvePorts(k *kernel, out *Resolved) {
	rules := map[int]ResolvedPort{}
	for _, p := range r.Ports {
		rule := rules[p.Port]
		rule.Port = uint16(p.Port)
		rule.Allowed |= p.Access & Net(out.Attr.HandledAccessNet)
		if p.Quiet && k.abi >= quietABI {
			rule.Flags |= uapi.LANDLOCK_ADD_RULE_QUIET
		}
		rules[p.Port] = rule
	}
	for _, rule := range rules {
		if rule.Allowed != 0 || rule.Flags != 0 {
			out.Ports = append(out.Ports, rule)
		}
	}
	slices.SortFunc(out.Ports, func(a, b ResolvedPort) int { return cmp.Compare(a.Port, b.Port) })
}

// resolveQuiet fills in the denials that quiet rules keep out of the log.
func (r *Rules) resolveQuiet(k *kernel, out *Resolved) {
	paths := slices.ContainsFunc(r.Paths, func(p Path) bool { return p.Quiet })
	ports := slices.ContainsFunc(r.Ports, func(p Port) bool { return p.Quiet })
	if !paths && !ports && r.QuietScopes == 0 {
		return
	}
	if k.abi < quietABI {
		k.lacks("Quiet", quietABI, "is not set: denials are logged as others are")
		return
	}
	if paths {
		out.Attr.QuietAccessFs = out.Attr.HandledAccessFs & uint64(cmp.Or(r.QuietAccess, AllAccess))
	}
	if ports {
		out.Attr.QuietAccessNet = out.Attr.HandledAccessNet & uint64(cmp.Or(r.QuietNet, AllNet))
	}
	out.Attr.QuietScoped = out.Attr.Scoped & uint64(r.QuietScopes)
}
