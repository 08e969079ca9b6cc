//go:build linux

package linux

import (
	"fmt"
	"os"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// mapIDs lets the child have IDs in its new user namespace before it goes on.
// If they are those of this program and no more, the child writes them itself.
// Otherwise this program has done so when the child was at the gate.
func (p *plan) mapIDs(c *Child) error {
	if c.Flags.has(NewUser) && !mappedByParent(c) {
		p.mapOwnIDs(c)
	}
	return nil
}

// mappedByParent reports whether this program is to write the maps.
func mappedByParent(c *Child) bool {
	return c.Flags.has(NewUser) && len(c.UidMappings)+len(c.GidMappings) > 0 && !mapsOwnIDs(c)
}

// mapsOwnIDs reports whether the child needs no help: see user_namespaces(7),
// "Defining user and group ID mappings".
func mapsOwnIDs(c *Child) bool {
	only := func(m []IDMap, id int) bool {
		return len(m) == 0 || len(m) == 1 && m[0].HostID == id && m[0].Size == 1
	}
	return only(c.UidMappings, os.Geteuid()) && only(c.GidMappings, os.Getegid()) &&
		!(len(c.GidMappings) > 0 && c.GidMappingsEnableSetgroups) && !c.Flags.has(EmptyMount)
}

// mapOwnIDs lets the child write the maps of the user namespace it is in.
func (p *plan) mapOwnIDs(c *Child) {
	for _, f := range mapFiles(c) {
		path := "/proc/self/" + f.name
		cwd := unix.AT_FDCWD
		open := p.Call(labelPath(StepMapIDs, "open", path),
			uapi.SYS_OPENAT, uintptr(cwd), p.CString(path), unix.O_WRONLY|unix.O_CLOEXEC)
		n := uintptr(len(f.content))
		write := p.Demand(n, labelPath(StepMapIDs, "write", path),
			uapi.SYS_WRITE, 0, p.CString(f.content), n)
		p.Pass(open, write, 0)
	}
}

// A mapFile is a file in /proc/PID to be written.
type mapFile struct{ name, content string }

func mapFiles(c *Child) []mapFile {
	var files []mapFile
	if len(c.UidMappings) > 0 {
		files = append(files, mapFile{"uid_map", formatMap(c.UidMappings)})
	}
	if len(c.GidMappings) > 0 {
		setgroups := "deny"
		if c.GidMappingsEnableSetgroups {
			setgroups = "allow"
		}
		files = append(files, mapFile{"setgroups", setgroups}, mapFile{"gid_map", formatMap(c.GidMappings)})
	}
	return files
}

func formatMap(m []IDMap) string {
	var b []byte
	for _, e := range m {
		b = fmt.Appendf(b, "%d %d %d\n", e.ContainerID, e.HostID, e.Size)
	}
	return string(b)
}

// checkMap reports entries that the kernel will not take.
func checkMap(field string, m []IDMap) error {
	const ids = 1<<32 - 1 // the last is no ID
	for i, e := range m {
		for _, n := range []int{e.ContainerID, e.HostID} {
			if n < 0 || int64(n) >= ids || e.Size < 1 || int64(n)+int64(e.Size) > ids {
				return invalid("%s[%d] {ContainerID: %d, HostID: %d, Size: %d} is no range of IDs",
					field, i, e.ContainerID, e.HostID, e.Size)
			}
		}
		for j, f := range m[:i] {
			if overlap(e.ContainerID, f.ContainerID, e.Size, f.Size) || overlap(e.HostID, f.HostID, e.Size, f.Size) {
				return invalid("%[1]s[%[2]d] and %[1]s[%[3]d] overlap", field, j, i)
			}
		}
	}
	if len(m) > 340 {
		return invalid("%s has %d entries: the kernel takes 340", field, len(m))
	}
	return nil
}

func overlap(a, b, na, nb int) bool {
	return int64(a) < int64(b)+int64(nb) && int64(b) < int64(a)+int64(na)
}

// writeMaps writes the maps of a child at the gate.
func writeMaps(c *Child, proc *Process) error {
	failed := func(err error) error {
		return &StepError{Kind: StepMapIDs, Step: "map IDs", Errno: errnoOf(err), Err: err}
	}
	dir, err := procDir(proc)
	if err != nil {
		return failed(err)
	}
	var files []*os.File
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	todo := mapFiles(c)
	for _, m := range todo {
		f, err := os.OpenFile(dir+m.name, os.O_WRONLY, 0)
		if err != nil {
			return failed(err)
		}
		files = append(files, f)
	}
	// As the child still waits, the number was its own when the files were
	// opened, and they are its.
	if ended(proc.fd) {
		return failed(errKilled)
	}
	for i, f := range files {
		if _, err := f.WriteString(todo[i].content); err != nil {
			return failed(err)
		}
	}
	return nil
}
