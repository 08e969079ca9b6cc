// Command xsys compares golang.org/x/sys/unix with what gen makes of the same
// kernel's headers, on every architecture: the values of constants, the sizes of
// structs, the places and sizes of their fields.
//
//	go run ./scripts/xsys -kernel DIR
//
// What differs needs a reason in testdata/xsys.txt, and what x/sys has alone a
// cause; without one the command fails. What is Go's and no header's is not
// compared.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/scripts/internal/declared"
)

func main() {
	kernel := flag.String("kernel", os.Getenv("KERNEL"), "a kernel's headers, of all architectures")
	flag.Parse()
	if err := run(*kernel, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "xsys:", err)
		os.Exit(1)
	}
}

// enough is how many of a hundred declarations have to be equal.
const enough = 96

func run(kernel string, w io.Writer) error {
	causes, err := readCauses("testdata/xsys.txt")
	if err != nil {
		return err
	}
	dir, err := output("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/sys")
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "xsys")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	gen := filepath.Join(scratch, "gen")
	if _, err := output("go", "build", "-o", gen, "./gen"); err != nil {
		return err
	}
	var all tally
	fmt.Fprintf(w, "%-9s %8s %9s %9s\n", "arch", "equal", "different", "only there")
	for _, arch := range declared.GOARCHes {
		ours, err := read(gen, kernel, arch)
		if err != nil {
			return err
		}
		theirs, err := declared.Scope(filepath.Join(strings.TrimSpace(dir), "unix"), arch)
		if err != nil {
			return err
		}
		t := compare(ours, theirs, arch, causes)
		fmt.Fprintf(w, "%-9s %8d %9d %9d\n", arch, t.equal, t.different, t.only)
		all.add(t)
	}
	total := all.equal + all.different + all.only
	fmt.Fprintf(w, "%-9s %8d %9d %9d   %.1f %% equal\n", "all", all.equal, all.different, all.only, 100*float64(all.equal)/float64(total))
	for _, c := range causes {
		if c.hits > 0 {
			fmt.Fprintf(w, "  %6d %s: %s\n", c.hits, c.kind, c.why)
		}
	}
	slices.Sort(all.unexplained)
	for _, u := range slices.Compact(all.unexplained) {
		fmt.Fprintln(w, "unexplained:", u)
	}
	switch {
	case len(all.unexplained) > 0:
		return fmt.Errorf("%d without a reason in testdata/xsys.txt", len(all.unexplained))
	case all.equal*100 < enough*total:
		return fmt.Errorf("less than %d %% are equal", enough)
	}
	return nil
}

type tally struct {
	equal, different, only int
	unexplained            []string
}

func (t *tally) add(u tally) {
	t.equal, t.different, t.only = t.equal+u.equal, t.different+u.different, t.only+u.only
	t.unexplained = append(t.unexplained, u.unexplained...)
}

// A cause is why names that match its pattern differ, or are only there.
type cause struct {
	kind    string // differ, only or own
	pattern string
	why     string
	hits    int
}

// readCauses reads a file of lines: differ, only or own, a pattern of path.Match for
// names, and why.
func readCauses(file string) (causes []*cause, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0][0] == '#' {
			continue
		}
		if len(f) < 3 || f[0] != "differ" && f[0] != "only" && f[0] != "own" {
			return nil, fmt.Errorf("%s: %q: want differ, only or own, a pattern, and why", file, line)
		}
		if _, err := path.Match(f[1], ""); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, f[1], err)
		}
		causes = append(causes, &cause{kind: f[0], pattern: f[1], why: strings.Join(f[2:], " ")})
	}
	return causes, nil
}

func find(causes []*cause, kind, name string) *cause {
	for _, c := range causes {
		if ok, _ := path.Match(c.pattern, name); ok && c.kind == kind {
			return c
		}
	}
	return nil
}

// A kernel is what gen says of an architecture. Several headers may declare a
// name.
type kernel struct {
	consts  map[string][]constant.Value
	structs map[string][]structure // by their names in Go
}

type structure struct {
	Name   string
	Size   int64
	Fields []field
}

type field struct {
	Name   string
	Offset int64
	Bits   *struct{}
	Type   struct {
		Size   int64
		Inline *structure
	}
}

func read(gen, dir, arch string) (kernel, error) {
	k := kernel{map[string][]constant.Value{}, map[string][]structure{}}
	args := []string{"-json", "-kernel", dir, "-arch", arch}
	for _, p := range []string{"linux/...", "asm/...", "asm-generic/...", "mtd/...", "rdma/...", "scsi/...", "sound/...", "misc/..."} {
		args = append(args, "-header", p)
	}
	text, err := output(gen, args...)
	if err != nil {
		return k, err
	}
	var m struct {
		Units []struct {
			Group   string
			Headers []string
			Consts  []struct {
				Name  string
				Value json.RawMessage
			}
			Structs []structure
		}
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return k, err
	}
	for _, u := range m.Units {
		own := !strings.HasPrefix(u.Group, "asm_unistd_") // of other ABIs
		for _, c := range u.Consts {
			if !own && strings.HasPrefix(c.Name, "__NR_") {
				continue
			}
			v := constant.MakeFromLiteral(string(c.Value), token.INT, 0)
			switch c.Value[0] {
			case '"':
				v = constant.MakeFromLiteral(string(c.Value), token.STRING, 0)
			case '-':
				v = constant.UnaryOp(token.SUB, constant.MakeFromLiteral(string(c.Value[1:]), token.INT, 0), 0)
			case '[':
				continue
			}
			k.consts[c.Name] = append(k.consts[c.Name], v)
		}
		for _, s := range u.Structs {
			name := goName(s.Name)
			k.structs[name] = append(k.structs[name], s)
		}
	}
	return k, nil
}

// goName is a C name as both write it in Go, without regard to capitals.
func goName(c string) string {
	c = c[strings.LastIndexByte(c, ' ')+1:]
	return strings.ToLower(strings.ReplaceAll(c, "_", ""))
}

// structNames are the names that a struct of x/sys may have here.
func structNames(name string) []string {
	names := []string{name, strings.TrimSuffix(name, "_t"), strings.TrimPrefix(name, "Raw")}
	if a := sockaddrs[strings.TrimPrefix(name, "Raw")]; a != "" {
		names = append(names, a)
	}
	for i := range names {
		names[i] = strings.ToLower(strings.ReplaceAll(names[i], "_", ""))
	}
	return names
}

// sockaddrs are the addresses that x/sys calls otherwise than C does.
var sockaddrs = map[string]string{
	"SockaddrInet4": "sockaddr_in", "SockaddrInet6": "sockaddr_in6", "SockaddrUnix": "sockaddr_un", "SockaddrLinklayer": "sockaddr_ll",
	"SockaddrNetlink": "sockaddr_nl", "Inet4Pktinfo": "in_pktinfo", "Inet6Pktinfo": "in6_pktinfo", "MtdInfo": "mtd_info_user",
	"EraseInfo": "erase_info_user", "EraseInfo64": "erase_info_user64", "RegionInfo": "region_info_user", "NandEcclayout": "nand_ecclayout_user",
}

// of returns the structs that a name of x/sys stands for.
func (k kernel) of(name string) []structure {
	for _, n := range structNames(name) {
		if all := k.structs[n]; all != nil {
			return all
		}
	}
	return nil
}

// cNames are the names that a constant of x/sys may have in C.
func cNames(name string) []string {
	names := []string{name, "_" + name, "__" + name}
	if call, ok := strings.CutPrefix(name, "SYS_"); ok {
		names = append(names, "__NR_"+strings.ToLower(call))
	}
	if rest, ok := strings.CutPrefix(name, "X_"); ok {
		names = append(names, "_"+rest)
	}
	return names
}

func compare(ours kernel, theirs *types.Scope, arch string, causes []*cause) (t tally) {
	sizes := types.SizesFor("gc", arch)
	count := func(name string, found, equal bool, what string) {
		kind := "only"
		switch {
		case found && equal:
			t.equal++
			return
		case found:
			kind = "differ"
			t.different++
		default:
			t.only++
		}
		if c := find(causes, kind, name); c != nil {
			c.hits++
		} else if found {
			t.unexplained = append(t.unexplained, fmt.Sprintf("differ %s on %s: %s", name, arch, what))
		} else {
			t.unexplained = append(t.unexplained, fmt.Sprintf("only %s", name))
		}
	}
	for _, name := range theirs.Names() {
		if !token.IsExported(name) {
			continue
		}
		if c := find(causes, "own", name); c != nil {
			c.hits++
			continue
		}
		switch d := theirs.Lookup(name).(type) {
		case *types.Const:
			if size, ok := strings.CutPrefix(name, "Sizeof"); ok {
				compareSize(ours, name, size, d, count)
				continue
			}
			found, equal, have := false, false, ""
			for _, c := range cNames(name) {
				for _, v := range ours.consts[c] {
					found = true
					if v.Kind() == d.Val().Kind() && constant.Compare(v, token.EQL, d.Val()) || unsigned(v, d.Val()) {
						equal = true
					}
					have = v.String()
				}
			}
			count(name, found, equal, fmt.Sprintf("%v, and here %s", d.Val(), have))
		case *types.TypeName:
			s, ok := d.Type().Underlying().(*types.Struct)
			if !ok {
				continue
			}
			compareStruct(ours, sizes, name, s, count)
		}
	}
	return t
}

// unsigned reports whether a, which is negative in C, is what b is as a number
// without a sign.
func unsigned(a, b constant.Value) bool {
	if a.Kind() != constant.Int || b.Kind() != constant.Int || constant.Sign(a) >= 0 {
		return false
	}
	for _, bits := range []uint{32, 64} {
		all := constant.Shift(constant.MakeInt64(1), token.SHL, bits)
		if constant.Compare(constant.BinaryOp(a, token.ADD, all), token.EQL, b) {
			return true
		}
	}
	return false
}

func compareSize(ours kernel, name, size string, d *types.Const, count func(string, bool, bool, string)) {
	all := ours.of(size)
	if len(all) == 0 {
		count(name, false, false, "")
		return
	}
	equal := slices.ContainsFunc(all, func(s structure) bool { return constant.Compare(constant.MakeInt64(s.Size), token.EQL, d.Val()) })
	count(name, true, equal, fmt.Sprintf("%v, and here %d", d.Val(), all[0].Size))
}

// compareStruct compares the size of a struct, and the fields that both have.
func compareStruct(ours kernel, sizes types.Sizes, name string, s *types.Struct, count func(string, bool, bool, string)) {
	all := ours.of(name)
	if len(all) == 0 {
		count(name, false, false, "")
		return
	}
	size := sizes.Sizeof(s)
	i := slices.IndexFunc(all, func(o structure) bool { return o.Size == size })
	if i < 0 {
		count(name, true, false, fmt.Sprintf("%d bytes, and here %d", size, all[0].Size))
		return
	}
	count(name, true, true, "")
	var fields []*types.Var
	for f := range s.Fields() {
		fields = append(fields, f)
	}
	here := map[string][]field{} // trseuc and trs_euc are two
	flatten(here, all[i].Fields, 0)
	for j, offset := range sizes.Offsetsof(fields) {
		named := here[strings.ToLower(fields[j].Name())]
		if len(named) == 0 || fields[j].Name() == "_" {
			continue
		}
		n := sizes.Sizeof(fields[j].Type())
		equal := slices.ContainsFunc(named, func(f field) bool { return f.Offset == offset && (f.Type.Size == n || f.Type.Size == 0) })
		count(name+"."+fields[j].Name(), true, equal, fmt.Sprintf("%d bytes at %d, and here %d at %d", n, offset, named[0].Type.Size, named[0].Offset))
	}
}

func flatten(to map[string][]field, fields []field, base int64) {
	for _, f := range fields {
		f.Offset += base
		if f.Name == "" && f.Type.Inline != nil {
			flatten(to, f.Type.Inline.Fields, f.Offset)
		} else if f.Bits == nil {
			to[goName(f.Name)] = append(to[goName(f.Name)], f)
		}
	}
}

func output(name string, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", name, err, &stderr)
	}
	return stdout.String(), nil
}
