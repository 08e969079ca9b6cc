package linux

// A Tree says by which means the descendants of a process end with it, see
// [Child].KillTree.
type Tree int

const (
	// TreeLeft: they are left alone, as the Child has no KillTree.
	TreeLeft Tree = iota

	// TreeByCgroup: they are all in a control group that this package has
	// created for them. No process comes out of it by chance. But one that has
	// the right to write to the group above, as those of this program's user
	// mostly have, can move itself there on purpose, and is not ended then.
	//
	// If this program is gone before the process is, they are left, and the
	// group, unless the process has AutoKill. Then there is a guard, a process
	// that does nothing but wait for the end of this program, to kill the group
	// and remove it: "clone3-guard" in ps(1), a child of this program. It is
	// forked off, which takes the longer the more memory this program uses (as
	// fork(2) does), and keeps nothing of it. Who may kill this program may kill
	// the guard as well, but it is started again; both have to be killed at the
	// same time for the tree to be left, as when this program's control group is
	// killed, to which the group belongs. Groups which the descendants have
	// created below the group are killed, but not removed.
	TreeByCgroup

	// TreeByNamespace: the process is the first of a PID namespace, and when it
	// has ended the kernel kills all others there, also if this program is gone.
	TreeByNamespace

	// TreeBySearch: Kill looks for them in /proc. It finds those whose parents
	// all live. When the process ends by itself, none is found.
	TreeBySearch
)

func (t Tree) String() string {
	switch t {
	case TreeLeft:
		return "left alone"
	case TreeByCgroup:
		return "by control group"
	case TreeByNamespace:
		return "by PID namespace"
	case TreeBySearch:
		return "by search"
	}
	return "invalid"
}

// Complete reports whether no descendant gets away by forking, by a session of
// its own, or by the end of its parent.
func (t Tree) Complete() bool { return t == TreeByCgroup || t == TreeByNamespace }
