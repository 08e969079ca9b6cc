package landlock

import (
	"path"
	"slices"
	"strings"
)

// Rules say what a program may do with files, ports and other processes. The zero
// value allows nothing, not even to execute the program, and needs a
// kernel that can deny all that this package knows. Rules are not changed
// by this package, and may be used by several goroutines.
type Rules struct {
	// Paths are the files and directories to which something is allowed.
	Paths []Path

	// Ports are the ports to which something is allowed.
	Ports []Port

	// Free are the rights to files that are not restricted. If it is
	// AllAccess, files are not restricted at all; else it cannot have Refer.
	Free Access

	// FreeNet are the rights to ports that are not restricted.
	FreeNet Net

	// FreeScopes are the scopes that are not set.
	FreeScopes Scope

	// ABI is the Landlock ABI up to which kinds of access are restricted: what
	// a later one brought is free, also on a kernel that could restrict it.
	// With 6, for example, rules are the same on every kernel since
	// Linux 6.12. Zero stands for all that this package knows.
	ABI int

	// BestEffort leaves out what the kernel cannot enforce, even if that is
	// everything; Resolved.LeftOut tells what it was. Else it is an error.
	BestEffort bool

	// QuietAccess and QuietNet are the denials that Quiet paths and ports keep
	// out of the log; zero stands for all. QuietScopes are scopes whose denials
	// are not logged. ABI 10, Linux 7.2.
	QuietAccess Access
	QuietNet    Net
	QuietScopes Scope

	// Log says what denials are logged, if they are not quiet.
	Log Log
}

// A Path allows access to a file, or to a directory and all below it.
type Path struct {
	// Path is absolute, and is looked up when the rules are set, in the
	// file system that the program will see. A symbolic link stands for what it
	// points to.
	Path string

	// Access is what is allowed. Of it, something that is no directory gets
	// what a file can have: Execute, ReadFile, WriteFile, Truncate,
	// IoctlDevice and ConnectUnix.
	Access Access

	// Optional is for a path that may be missing, which then is no error. What
	// comes to be there later is not accessible.
	Optional bool

	// Directory says that Path is a directory: if it is something else, that is an
	// error, ENOTDIR. Child spares a system call where that is known.
	Directory bool

	// NoFollow takes a symbolic link that Path ends in for itself, and not for
	// what it points to: for a path that others may have made a link. Links on the
	// way to it are followed.
	NoFollow bool

	// Quiet keeps denials here and below out of the log. With it, Access may be
	// empty. ABI 10, Linux 7.2.
	Quiet bool
}

// A Port allows access to a port of all addresses.
type Port struct {
	Port   int // 0 to 65535; what 0 is: see BindTCP
	Access Net // what is allowed
	// Quiet keeps denials for this port out of the log. With it, Access may be
	// empty. ABI 10, Linux 7.2.
	Quiet bool
}

// Paths returns rules that allow the same for each path.
func Paths(access Access, paths ...string) []Path {
	rules := make([]Path, len(paths))
	for i, p := range paths {
		rules[i] = Path{Path: p, Access: access}
	}
	return rules
}

// ReadOnly returns rules that allow to read files and list directories, and not
// to execute files.
func ReadOnly(paths ...string) []Path { return Paths(Read, paths...) }

// ReadExecute returns rules that allow to read, list and execute, as for /usr.
func ReadExecute(paths ...string) []Path { return Paths(Read|Execute, paths...) }

// ReadWrite returns rules that allow to read, list, change, create and remove, as
// for a working directory; not to execute, nor to make devices.
func ReadWrite(paths ...string) []Path { return Paths(Read|Write, paths...) }

// Optional returns the rules, each of them for a path that may be missing.
func Optional(paths []Path) []Path {
	paths = slices.Clone(paths)
	for i := range paths {
		paths[i].Optional = true
	}
	return paths
}

// Ports returns rules that allow the same for each port.
func Ports(access Net, ports ...int) []Port {
	rules := make([]Port, len(ports))
	for i, p := range ports {
		rules[i] = Port{Port: p, Access: access}
	}
	return rules
}

// check reports what is wrong with the rules, whatever the kernel.
func (r *Rules) check() error {
	known := []struct {
		field   string
		unknown uint64
	}{
		{"Free", uint64(r.Free &^ AllAccess)}, {"FreeNet", uint64(r.FreeNet &^ AllNet)}, {"FreeScopes", uint64(r.FreeScopes &^ AllScopes)},
		{"QuietAccess", uint64(r.QuietAccess &^ AllAccess)}, {"QuietNet", uint64(r.QuietNet &^ AllNet)}, {"QuietScopes", uint64(r.QuietScopes &^ AllScopes)},
		{"Log", uint64(r.Log &^ allLogs)},
	}
	for _, k := range known {
		if k.unknown != 0 {
			return invalid("%s: %#x is not known to this package", k.field, k.unknown)
		}
	}
	switch {
	case r.ABI < 0 || r.ABI > MaxABI:
		return invalid("ABI %d: this package knows 1 to %d, and 0 for all of them", r.ABI, MaxABI)
	case r.Free&Refer != 0 && r.Free != AllAccess:
		return invalid("Free has Refer, which the kernel denies whenever files are restricted: allow it for a path, or leave AllAccess free")
	case r.Free == AllAccess && len(r.Paths) > 0:
		return invalid("Paths[0] %q allows something, but Free is AllAccess: files are not restricted", r.Paths[0].Path)
	}
	if err := r.checkPaths(); err != nil {
		return err
	}
	if err := r.checkPorts(); err != nil {
		return err
	}
	return r.checkQuiet()
}

func (r *Rules) checkPaths() error {
	seen := make(map[string]int, len(r.Paths))
	for i, p := range r.Paths {
		name := p.Path
		if !slices.Contains(strings.Split(name, "/"), "..") { // which may follow a link
			name = path.Clean(name)
		}
		first, twice := seen[name]
		seen[name] = i
		switch {
		case p.Path == "":
			return invalid("Paths[%d] is empty", i)
		case strings.IndexByte(p.Path, 0) >= 0:
			return invalid("Paths[%d] %q has a NUL byte", i, p.Path)
		case p.Path[0] != '/':
			return invalid("Paths[%d] %q is relative: what it means would depend on the directory at that time", i, p.Path)
		case p.Access&^AllAccess != 0:
			return invalid("Paths[%d] %q: right %#x is not known to this package", i, p.Path, uint64(p.Access&^AllAccess))
		case p.Access == 0 && !p.Quiet:
			return invalid("Paths[%d] %q allows nothing; a path without a rule is denied", i, p.Path)
		case twice:
			return invalid("Paths[%d] %q is Paths[%d] again: join their rights", i, p.Path, first)
		}
	}
	return nil
}

func (r *Rules) checkPorts() error {
	free := r.FreeNet | AllNet&^known(nets, r.upTo())
	type granted struct {
		first  int
		access Net
	}
	seen := make(map[int]granted, len(r.Ports))
	for i, p := range r.Ports {
		switch {
		case p.Port < 0 || p.Port > 65535:
			return invalid("Ports[%d] %d: ports are 0 to 65535", i, p.Port)
		case p.Access&^AllNet != 0:
			return invalid("Ports[%d] %d: right %#x is not known to this package", i, p.Port, uint64(p.Access&^AllNet))
		case p.Access == 0 && !p.Quiet:
			return invalid("Ports[%d] %d allows nothing; a port without a rule is denied", i, p.Port)
		case p.Access&free != 0:
			return invalid("Ports[%d] %d allows %v, which FreeNet or ABI leaves free for all ports", i, p.Port, p.Access&free)
		case p.Port == 0 && p.Access&(ConnectTCP|ConnectUDP) != 0:
			return invalid("Ports[%d] allows %v to port 0, to which nothing connects", i, p.Access&(ConnectTCP|ConnectUDP))
		}
		g, twice := seen[p.Port]
		if twice && (p.Access == 0 || g.access&p.Access != 0) {
			return invalid("Ports[%d] %d repeats Ports[%d]", i, p.Port, g.first)
		}
		if !twice {
			g.first = i
		}
		g.access |= p.Access
		seen[p.Port] = g
	}
	return nil
}

// checkQuiet reports what is to be quiet, or to be logged, that is never denied.
func (r *Rules) checkQuiet() error {
	paths := slices.ContainsFunc(r.Paths, func(p Path) bool { return p.Quiet })
	ports := slices.ContainsFunc(r.Ports, func(p Port) bool { return p.Quiet })
	access, net, scope := r.handled()
	switch {
	case r.QuietAccess != 0 && !paths:
		return invalid("QuietAccess without a Quiet path")
	case r.QuietNet != 0 && !ports:
		return invalid("QuietNet without a Quiet port")
	case r.QuietAccess&^access != 0:
		return invalid("QuietAccess has %v, which Free or ABI leaves free", r.QuietAccess&^access)
	case r.QuietNet&^net != 0:
		return invalid("QuietNet has %v, which FreeNet or ABI leaves free", r.QuietNet&^net)
	case r.QuietScopes&^scope != 0:
		return invalid("QuietScopes has %v, which FreeScopes or ABI leaves free", r.QuietScopes&^scope)
	case r.Log != 0 && access == 0 && net == 0 && scope == 0:
		return invalid("Log %v, but nothing is restricted", r.Log)
	case ports && net == 0:
		return invalid("a port is Quiet, but FreeNet or ABI leaves all ports free")
	}
	return nil
}

// upTo returns the ABI up to which kinds of access are restricted.
func (r *Rules) upTo() int {
	if r.ABI == 0 {
		return MaxABI
	}
	return r.ABI
}

// handled returns what the rules restrict. Refer is denied whenever another right
// to files is, so it is always among them, or it could not be allowed.
func (r *Rules) handled() (Access, Net, Scope) {
	access := known(accesses, r.upTo()) &^ r.Free
	if r.Free != AllAccess {
		access |= Refer
	}
	return access, known(nets, r.upTo()) &^ r.FreeNet, known(scopes, r.upTo()) &^ r.FreeScopes
}
