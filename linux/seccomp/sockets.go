package seccomp

import "slices"

// Numbers of linux/socket.h and linux/in.h that are the same everywhere.
const (
	afUnix  = 1
	afInet  = 2
	afInet6 = 10

	protocolTCP = 6
	protocolUDP = 17

	typeBits = 0xf // of a socket's type, beside its flags
	datagram = 2   // the higher of SOCK_STREAM and SOCK_DGRAM, of which MIPS has 2 for the former

	fastOpen = 0x20000000 // MSG_FASTOPEN
)

// Sockets returns rules, to be put before others, with which a program creates
// sockets of these families (AF_INET and so on) and of no others: of none, if none
// is given. Pairs of unix sockets, which programs talk to their children by, can
// be created nevertheless.
//
// Sockets of AF_INET and AF_INET6 can be of TCP and UDP alone, and cannot connect
// by sending. That leaves them what package landlock has rights for: raw sockets,
// SCTP, Multipath TCP and SMC (which fall back to TCP) and TCP Fast Open get around
// those, on some kernels or on all.
//
// Other sockets fail with EACCES, protocols with EPROTONOSUPPORT, and
// MSG_FASTOPEN with EOPNOTSUPP, upon which programs use plain TCP. Where sockets are
// made by socketcall, see [Filter.Compile], all of it fails.
func Sockets(families ...int) []Rule {
	var rules []Rule
	call := []string{"socket"}
	var others []Arg
	for _, family := range families {
		others = append(others, Arg{Op: NotEqual, Mask: Int, Value: uint64(uint32(family))})
	}
	rules = append(rules,
		Rule{Calls: call, Args: others, Action: Errno(eacces)},
		Rule{Calls: []string{"socketpair"}, Args: []Arg{{Op: NotEqual, Mask: Int, Value: afUnix}}, Action: Errno(eacces)},
	)
	for _, family := range []int{afInet, afInet6} {
		if !slices.Contains(families, family) {
			continue
		}
		of := Arg{Mask: Int, Value: uint64(family)}
		rules = append(rules,
			Rule{Calls: call, Args: []Arg{of, {Index: 1, Op: Greater, Mask: typeBits, Value: datagram}}, Action: Errno(eacces)},
			Rule{Calls: call, Args: []Arg{
				of, {Index: 2, Op: NotEqual, Mask: Int, Value: 0},
				{Index: 2, Op: NotEqual, Mask: Int, Value: protocolTCP}, {Index: 2, Op: NotEqual, Mask: Int, Value: protocolUDP},
			}, Action: Errno(eprotonosupport)},
		)
	}
	// One that the program was given may be connected too.
	for _, send := range []struct {
		name  string
		flags int
	}{{"sendto", 3}, {"sendmsg", 2}, {"sendmmsg", 3}} {
		rules = append(rules, Rule{
			Calls:  []string{send.name},
			Args:   []Arg{{Index: send.flags, Op: MaskedEqual, Mask: fastOpen, Value: fastOpen}},
			Action: Errno(eopnotsupp),
		})
	}
	return rules
}
