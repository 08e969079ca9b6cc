package landlock

import "github.com/go-clone3/clone3/uapi"

// Net is a set of rights to ports. The zero value is none. Addresses are not told
// apart: a right to a port is one to that port everywhere.
type Net uint64

const (
	// BindTCP: bind a TCP socket to the port. Port 0 stands for one that the
	// kernel chooses. Listening without having bound is not restricted, and
	// listens on a port that the kernel chooses.
	// LANDLOCK_ACCESS_NET_BIND_TCP, ABI 4, Linux 6.7.
	BindTCP Net = uapi.LANDLOCK_ACCESS_NET_BIND_TCP

	// ConnectTCP: connect a TCP socket to the port. Streams of other protocols,
	// such as SCTP and MPTCP, are not restricted, except by kernels without the
	// fix for it, which take them for TCP. A kernel may let a program connect that
	// does so by sending (TCP Fast Open, MSG_FASTOPEN), whatever the rules: 6.18
	// does, 7.3 does not any more. A filter of system calls that denies this flag,
	// or a network namespace in which net.ipv4.tcp_fastopen is 0, helps.
	// LANDLOCK_ACCESS_NET_CONNECT_TCP, ABI 4, Linux 6.7.
	ConnectTCP Net = uapi.LANDLOCK_ACCESS_NET_CONNECT_TCP

	// BindUDP: bind a UDP socket to the port. A socket that sends or connects
	// without having bound is bound to a port that the kernel chooses, for which
	// this right is needed with port 0.
	// LANDLOCK_ACCESS_NET_BIND_UDP, ABI 10, Linux 7.2.
	BindUDP Net = uapi.LANDLOCK_ACCESS_NET_BIND_UDP

	// ConnectUDP: connect a UDP socket to the port, or send datagrams to it.
	// It is of use with BindUDP only; see there.
	// LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP, ABI 10, Linux 7.2.
	ConnectUDP Net = uapi.LANDLOCK_ACCESS_NET_CONNECT_SEND_UDP
)

// AllNet is all rights to ports that this package knows.
const AllNet = BindTCP | ConnectTCP | BindUDP | ConnectUDP

var nets = []right[Net]{
	{BindTCP, "BindTCP", 4}, {ConnectTCP, "ConnectTCP", 4},
	{BindUDP, "BindUDP", 10}, {ConnectUDP, "ConnectUDP", 10},
}

// String returns the names of the rights, joined by "|"; "0" for none.
// Bits without a name are in hexadecimal.
func (n Net) String() string { return text(n, nil, nets) }
