package main

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

// committed returns the table that is committed, and the root of the module.
func committed(t *testing.T) (Table, string) {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	table, err := readTable(root)
	if err != nil {
		t.Fatal(err)
	}
	return table, root
}

func TestTheTable(t *testing.T) {
	table, _ := committed(t)
	for _, m := range table.Machines {
		if len(m.Runs) == 0 || m.Flavour == "" || m.Append == "" || m.Install == "" || len(m.QEMU) == 0 {
			t.Errorf("machine %s lacks something: %+v", m.Name, m)
		}
		if m.Built() != (len(m.Build.Vars) > 0 && len(m.Build.Config) > 0 && len(m.Build.Packages) > 0) {
			t.Errorf("machine %s has half a recipe: %+v", m.Name, m)
		}
	}
	pr := slices.ContainsFunc(table.Guests, func(g Guest) bool { return len(g.PR) == 2 && g.Release == "newest" && g.GOARCH == "amd64" })
	if !pr {
		t.Error("the smaller matrix lacks the newest kernel on amd64")
	}
	for _, goarch := range strings.Fields("386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x") {
		if !slices.ContainsFunc(table.Guests, func(g Guest) bool { return g.GOARCH == goarch }) {
			t.Errorf("no guest runs %s", goarch)
		}
	}
}

func TestReadTable(t *testing.T) {
	const machine = "machine m\nruns amd64\nkernel f a\nappend console=x\ninstall p\nqemu q -a\nqemu -b\n"
	table, err := ReadTable("t", strings.NewReader(machine+"# comment\n\nguest amd64 m 6.1 pr # and why\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got := table.Machines[0].QEMU; !slices.Equal(got, []string{"q", "-a", "-b"}) {
		t.Errorf("qemu is %q", got)
	}
	if got, want := table.Guests[0], (Guest{"amd64", "m", "6.1", []int{0, 1000}}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	alike, err := ReadTable("t", strings.NewReader(machine+"machine n\nlike m\nruns 386\nqemu -c\nmachine o\nlike m\nqemu -d\n"))
	if err != nil {
		t.Fatal(err)
	}
	n := alike.Machines[1]
	if want := []string{"q", "-a", "-b", "-c"}; n.Name != "n" || n.Runs[0] != "386" || n.Flavour != "f" || !slices.Equal(n.QEMU, want) {
		t.Errorf("got %+v, want m with 386 and qemu %q", n, want)
	}
	for text, want := range map[string]string{
		"machine m\nlike o\n":                     "t:2: no machine o above",
		"runs amd64\n":                            "t:1: runs before any machine",
		"machine m\nmachine m\n":                  "t:2: machine m is there twice",
		"machine m\ncolour red\n":                 `t:2: "colour" is none of machine like runs kernel vars config needs image append install atleast qemu guest`,
		"machine m\nkernel f\n":                   "t:2: want: kernel FLAVOUR ARCH, or: kernel built",
		"machine\n":                               "t:1: machine of what?",
		machine + "guest amd64 m\n":               "t:8: want: guest GOARCH MACHINE RELEASE [pr [root|user]]",
		machine + "guest amd64 m 6.1 pr nobody\n": "t:8: want: guest GOARCH MACHINE RELEASE [pr [root|user]]",
		machine + "guest amd64 n 6.1\n":           "t:8: no machine n above",
		machine + "guest arm m 6.1\n":             "t:8: machine m does not run arm",
	} {
		if _, err := ReadTable("t", strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%q: got error %v, want %s", text, err, want)
		}
	}
	if _, err := table.For("sparc64"); err == nil || err.Error() != `no machine runs "sparc64": there are some for amd64` {
		t.Errorf("got error %v", err)
	}
}
