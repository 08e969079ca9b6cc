package landlock

import "strings"

// A kernel is one that is asked to enforce rules, and what it cannot.
type kernel struct {
	abi     int // 0 if there is no Landlock
	missing []missing
}

type missing struct {
	name   string
	abi    int
	effect string // such as "is not restricted"
}

// lacks notes that something is asked for that the kernel does not have, once.
func (k *kernel) lacks(name string, abi int, effect string) {
	m := missing{name, abi, effect}
	for _, old := range k.missing {
		if old == m {
			return
		}
	}
	k.missing = append(k.missing, m)
}

// enforced returns what the kernel has of the bits that are asked for, and notes the
// others.
func enforced[T bits](k *kernel, table []right[T], want T, effect string) T {
	for _, r := range table {
		if want&r.bit != 0 && r.abi > k.abi {
			k.lacks(r.name, r.abi, effect)
		}
	}
	return want & known(table, k.abi)
}

// unsupported returns the error that names all that is missing.
func (k *kernel) unsupported() error {
	e := &UnsupportedError{Kernel: k.abi}
	var names []string
	for _, m := range k.missing {
		names = append(names, m.name)
		e.ABI = max(e.ABI, m.abi)
	}
	e.Feature, e.Release = strings.Join(names, ", "), releases[e.ABI]
	if k.abi == 0 { // where a list would hide the reason
		e.Feature = "Landlock"
	}
	return e
}

// leftOut says in words what is missing.
func (k *kernel) leftOut() []string {
	var all []string
	for _, m := range k.missing {
		all = append(all, m.name+" "+m.effect+": needs "+needs(m.abi))
	}
	return all
}
