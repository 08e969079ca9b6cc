package seccomp

// A Filter says which system calls a program may make. The zero Filter kills
// the process at its first. It is only read; several goroutines may compile it.
type Filter struct {
	// Default is the action of calls that no rule matches. The zero value
	// kills the process.
	Default Action

	// Rules are tried in their order: the first that matches decides.
	Rules []Rule

	// Log writes to the audit log all that is not allowed.
	// SECCOMP_FILTER_FLAG_LOG, Linux 4.14.
	Log bool
}

// A Rule gives some system calls an action.
type Rule struct {
	// Calls are names of system calls in C, "openat", and of sets of them,
	// "@mount". At least one. A name that only other architectures have is
	// ignored: a rule may name "open" and "openat" for all of them.
	Calls []string

	// Args are what the arguments have to be; all of them must hold. None: the
	// rule matches whatever the arguments are.
	Args []Arg

	// Action is what happens. The zero value kills the process.
	Action Action
}

// An Arg is a condition on an argument of a system call.
//
// What a pointer points to cannot be looked at. Most arguments are an int in C:
// the kernel looks at the lower 32 bits of them, and a program may put anything
// into the upper ones. A rule about such an argument that has no Mask of [Int]
// is easy to get around.
type Arg struct {
	Index int // 0 is the first argument, 5 the last
	Op    Op  // the zero value is Equal

	// Mask are the bits of the argument that are compared; zero means all, but
	// for MaskedEqual, which needs one.
	Mask uint64

	// Value is what they are compared with, as unsigned numbers.
	Value uint64
}

// Int is the Mask of an argument that is an int or unsigned int in C: all
// its 32 bits, and not the upper ones of the register, which the kernel ignores.
const Int uint64 = 1<<32 - 1

// An Op compares an argument with a value.
type Op uint8

const (
	Equal        Op = iota // argument == value
	NotEqual               // argument != value
	Less                   // argument < value
	LessEqual              // argument <= value
	Greater                // argument > value
	GreaterEqual           // argument >= value
	MaskedEqual            // argument & mask == value; the mask has to be given
)

var opNames = [...]string{
	Equal: "==", NotEqual: "!=", Less: "<", LessEqual: "<=", Greater: ">", GreaterEqual: ">=", MaskedEqual: "&==",
}

// String returns "==", for example.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return "unknown comparison"
}

// holds tells whether a call with these arguments is meant.
func (a Arg) holds(args *[6]uint64) bool {
	x := args[a.Index] & a.Mask
	switch a.Op {
	case NotEqual:
		return x != a.Value
	case Less:
		return x < a.Value
	case LessEqual:
		return x <= a.Value
	case Greater:
		return x > a.Value
	case GreaterEqual:
		return x >= a.Value
	}
	return x == a.Value
}
