package linux

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/linux/seccomp"
)

// Confine returns a Child for a program that is not trusted, to be edited: its
// Path and Args, and mostly Dir and Env (see [CleanEnv]), are still to be set. All
// that it has is in these fields:
//
//   - Flags: NoNewPrivs, and Capabilities: none.
//   - Landlock: to read and execute what the system's programs consist of, to
//     read /proc and the parts of /etc that most of them read, to use /dev/null,
//     zero, random and urandom, and to do everything below workdir, but for devices.
//     No ports, no signals to others, and no unix sockets of theirs.
//   - Seccomp: the filter of [ConfineFilter], with no network.
//
// It takes no privileges, no namespaces, and nothing that container engines deny.
// What it protects from, and what it does not, tells the table under "Confinement" in
// the package comment. Two things that it leaves to the caller: a program of user 0
// still owns root's files, so root sets Credential; and a program may
// use as much as it wants of CPU, memory and processes, see Rlimits and Cgroup.
//
// Names that follow are of what in workdir stays as it is, such as ".git": what
// is there can be read and executed, and not be changed, replaced or removed. As
// rules of Landlock only ever add rights, that is done by allowing everything beside
// it. So nothing can be created, removed or renamed in workdir itself, only in
// directories that it had when Confine was called, and what is missing stays missing.
//
// There is no /tmp. Most programs want a directory for temporary files, and one for
// what they keep at home, which is best another than workdir:
//
//	c.Landlock.Paths = append(c.Landlock.Paths, landlock.Paths(landlock.Read|landlock.Write|landlock.Execute, tmp)...)
//	c.Env = linux.CleanEnv(tmp)
//
// The rules are strict: what the kernel cannot enforce, and the filter cannot make up
// for, is an UnsupportedError of Clone3. With Linux 6.12 and later
// there is no such thing. Before, a program can send signals to others of its user,
// and who accepts that says so:
//
//	c.Landlock.FreeScopes |= landlock.Signals
//
// Then Linux 5.13 is enough. Landlock.BestEffort instead accepts whatever the kernel
// has, also that it has no Landlock at all; [Process.Unenforced] tells.
//
// Confine looks at the file system when it is called. Its Child can be used many
// times, and its filter is compiled once; who creates many children of a kind saves
// more by [NewLandlockRuleset]. Errors are about workdir, which has to be a
// directory, or that there is no seccomp.
func Confine(workdir string, readOnly ...string) (*Child, error) {
	workdir, err := filepath.Abs(workdir)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(workdir); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, &fs.PathError{Op: "confine", Path: workdir, Err: syscall.ENOTDIR}
	}
	abi, filter, err := confineHere()
	if err != nil {
		return nil, err
	}
	own, err := workdirRules(workdir, readOnly)
	if err != nil {
		return nil, err
	}
	if abi == 1 { // which has no such right, and never lets anything be moved
		for i := range own {
			own[i].Access &^= landlock.Refer
		}
	}
	rules := confineRules(abi)
	rules.Paths = slices.Concat(own, systemRules(own))
	return &Child{Flags: NoNewPrivs, Capabilities: new(Capabilities), Landlock: rules, Seccomp: filter}, nil
}

// NewLandlockRuleset makes a ruleset for Child.LandlockRuleset, or for what else
// takes one, by the paths that this program sees now. Many children can share it,
// which takes more than a quarter off the time of creating one by the rules of [Confine]; a
// child that has another root or other mounts, and rules for what comes later to the
// same path, need Child.Landlock, by which each child makes its own.
//
// It also returns in words what the kernel cannot enforce, if the rules have
// BestEffort; without, that is an [UnsupportedError], and so it is if that is
// everything. Rules.Log is not part of a ruleset: it goes into Child.LandlockFlags.
// The caller closes the file, when no child is to be created with it any more.
// landlock(7), Linux 5.13.
func NewLandlockRuleset(rules *landlock.Rules) (ruleset *os.File, unenforced []string, err error) {
	return newRuleset(rules)
}

// The first Landlocks that have what a filter has to do before, and what no filter
// can.
const (
	truncateABI = 3
	tcpABI      = 4
	signalsABI  = 6
)

// confineRules returns rules with all that a kernel can restrict, and without what
// the filter restricts in its place.
func confineRules(abi int) *landlock.Rules {
	rules := &landlock.Rules{ABI: min(max(abi, signalsABI), landlock.MaxABI)}
	if abi == 0 {
		return rules // nothing is made up for
	}
	if abi < truncateABI {
		rules.Free |= landlock.Truncate
	}
	if abi < tcpABI {
		rules.FreeNet = landlock.BindTCP | landlock.ConnectTCP
	}
	if abi < 5 {
		rules.Free |= landlock.IoctlDevice // no device can be opened but those that have no ioctl of interest
	}
	if abi < signalsABI {
		rules.FreeScopes = landlock.AbstractUnix // there are no such sockets
	}
	return rules
}

// full is what a program may do in its directory.
const full = landlock.Read | landlock.Write | landlock.Execute | landlock.ConnectUnix

// workdirRules returns the rules for workdir.
func workdirRules(workdir string, readOnly []string) ([]landlock.Path, error) {
	if len(readOnly) == 0 {
		return []landlock.Path{{Path: workdir, Access: full, Directory: true}}, nil
	}
	var kept []os.FileInfo
	for _, name := range readOnly {
		if name == "" || name == "." || name == ".." || strings.ContainsRune(name, '/') {
			return nil, invalid("%q is not the name of something in %s", name, workdir)
		}
		info, err := os.Stat(filepath.Join(workdir, name))
		switch {
		case err == nil:
			kept = append(kept, info)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
		if err := besideOf(workdir, name); err != nil {
			return nil, err
		}
	}
	entries, err := os.ReadDir(workdir)
	if err != nil {
		return nil, err
	}
	rules := landlock.ReadExecute(workdir)
	for _, e := range entries {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		same := func(other os.FileInfo) bool { return os.SameFile(info, other) }
		if info.Mode()&fs.ModeSymlink != 0 || slices.Contains(readOnly, e.Name()) || slices.ContainsFunc(kept, same) {
			continue
		}
		// Who writes to workdir meanwhile must not get a right elsewhere by a link.
		rules = append(rules, landlock.Path{Path: filepath.Join(workdir, e.Name()), Access: full, Optional: true, NoFollow: true})
	}
	return rules, nil
}

// besideOf refuses a name that is a link to somewhere deeper in workdir, where it would be
// below something that can be written.
func besideOf(workdir, name string) error {
	target, err := filepath.EvalSymlinks(filepath.Join(workdir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	real, err := filepath.EvalSymlinks(workdir)
	if err != nil {
		return err
	}
	if below, ok := strings.CutPrefix(target, strings.TrimSuffix(real, "/")+"/"); ok && strings.ContainsRune(below, '/') {
		return invalid("%s in %s is a link to %s, which cannot be kept as it is: only what is in the directory itself can", name, workdir, below)
	}
	return nil
}

// The parts of the system that most programs read. Secrets that lie in /etc, such as
// shadow and the keys of servers, are not among them, nor what is for networks.
var (
	programs = []string{
		"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt",
		"/nix/store", "/run/current-system", "/gnu/store",
	}
	settings = []string{
		"/etc/crypto-policies", "/etc/gitconfig", "/etc/group", "/etc/ld.so.cache",
		"/etc/ld.so.preload", "/etc/locale.conf", "/etc/localtime", "/etc/nsswitch.conf", "/etc/os-release",
		"/etc/passwd", "/etc/pki/tls/openssl.cnf", "/etc/ssl/openssl.cnf", "/etc/static",
	}
	kernel  = []string{"/proc"}
	devices = []string{"/dev/null", "/dev/zero"}
	random  = []string{"/dev/random", "/dev/urandom"}
)

// systemRules returns rules for what there is of the system, and is not covered by
// another rule: where /bin is a link to /usr/bin it needs none.
func systemRules(own []landlock.Path) []landlock.Path {
	var rules []landlock.Path
	seen := map[string]bool{}
	for _, r := range own {
		seen[r.Path] = true
	}
	add := func(access landlock.Access, paths []string) {
		for _, path := range paths {
			target, err := filepath.EvalSymlinks(path)
			if err != nil {
				continue // the rules are not for what comes later
			}
			covered := seen[path] // by a rule of the caller's
			for _, r := range rules {
				covered = covered || r.Path == target || r.Access&access == access && strings.HasPrefix(target, r.Path+"/")
			}
			if info, err := os.Stat(target); err == nil && !covered {
				rules = append(rules, landlock.Path{Path: target, Access: access, Optional: true, Directory: info.IsDir()})
			}
		}
	}
	add(landlock.Read|landlock.Execute, programs)
	add(landlock.Read, settings)
	add(landlock.Read, kernel)
	add(landlock.ReadFile|landlock.WriteFile, devices)
	add(landlock.ReadFile, random)
	return rules
}

// ConfineFilter returns the filter of [Confine], to be edited and compiled. It is
// [seccomp.Default] and, in this order before its rules:
//
//   - sockets of the given families alone (AF_INET and so on), see
//     [seccomp.Sockets]; and of AF_UNIX where Landlock keeps those among the program
//     and its descendants, since Linux 7.1. Before, a pair of unix sockets is possible
//     and has to be one of streams, as datagrams go to whatever address is given;
//   - no shared memory, semaphores and message queues of System V and POSIX, by
//     which it would share memory with other programs of its user. EACCES;
//   - no set-user-ID and set-group-ID files: what root's program leaves behind, anybody
//     could execute. No descriptor of a device that is for ioctl alone (open mode
//     3), for which Landlock needs no right before Linux 6.10. EPERM and EACCES;
//     openat2, which has the same in memory, is ENOSYS;
//   - no limits, priorities, schedulers and CPUs of other processes, and, as they are not
//     to be told apart, of other threads by their number: EPERM. No child of the
//     program's own parent (CLONE_PARENT), no line disciplines of terminals: EPERM;
//   - before Linux 6.2, where Landlock has no right for it, nothing is truncated by
//     its path, nor by opening it for reading; and before 6.7 a socket that it was
//     given is neither bound nor connected. EACCES.
//
// Families are at the caller's risk. With AF_INET and AF_INET6, ports are what
// Landlock.Ports allows: TCP since Linux 6.7, UDP since 7.2.
func ConfineFilter(families ...int) (*seccomp.Filter, error) { return filterHere(families) }
