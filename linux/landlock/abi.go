package landlock

import (
	"fmt"
	"strings"
	"unsafe"

	"github.com/go-clone3/clone3/uapi"
)

// MaxABI is the newest Landlock ABI that this package knows. Of a kernel with a
// later one it uses as much.
const MaxABI = 11

// releases are the Linux releases that brought an ABI.
var releases = [MaxABI + 1]string{
	1: "5.13", 2: "5.19", 3: "6.2", 4: "6.7", 5: "6.10", 6: "6.12",
	7: "6.15", 8: "7.0", 9: "7.1", 10: "7.2", 11: "7.3",
}

// quietABI brought what keeps denials out of the log.
const quietABI = 10

// attrSize is how much of a landlock_ruleset_attr an ABI knows.
func attrSize(abi int) uintptr {
	var attr uapi.LandlockRulesetAttr
	switch {
	case abi < 4:
		return unsafe.Offsetof(attr.HandledAccessNet)
	case abi < 6:
		return unsafe.Offsetof(attr.Scoped)
	case abi < quietABI:
		return unsafe.Offsetof(attr.QuietAccessFs)
	}
	return unsafe.Sizeof(attr)
}

// A bits is a set of what can be restricted or asked for.
type bits interface {
	~uint32 | ~uint64
}

// A right is a bit, or a group of them, with its name and the ABI that brought it.
type right[T bits] struct {
	bit  T
	name string
	abi  int
}

// known returns the bits that an ABI knows.
func known[T bits](table []right[T], abi int) (all T) {
	for _, r := range table {
		if r.abi <= abi {
			all |= r.bit
		}
	}
	return all
}

// text returns the names of the bits, of groups first.
func text[T bits](set T, groups, table []right[T]) string {
	var names []string
	for _, list := range [][]right[T]{groups, table} {
		for _, r := range list {
			if set&r.bit == r.bit {
				names = append(names, r.name)
				set &^= r.bit
			}
		}
	}
	switch {
	case set != 0:
		names = append(names, fmt.Sprintf("%#x", uint64(set)))
	case names == nil:
		return "0"
	}
	return strings.Join(names, "|")
}
