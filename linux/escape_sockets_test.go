//go:build linux

package linux_test

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

const (
	needsModule = "a kernel that has it, which may be a module"
	beforeUnix  = "since Linux 7.1, where Landlock keeps it from others' sockets"
	mptcp       = 262
	smc         = 256
	afSMC       = 43
	afMCTP      = 45
	afQIPCRTR   = 42
	afKCM       = 41
)

var socketAttempts = []attempt{
	family("AF_UNIX", unix.AF_UNIX, unix.SOCK_STREAM, 0, "", beforeUnix),
	family("AF_INET", unix.AF_INET, unix.SOCK_STREAM, 0, "", ""),
	family("AF_INET, UDP", unix.AF_INET, unix.SOCK_DGRAM, 0, "", ""),
	family("AF_INET, ICMP", unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_ICMP, "net.ipv4.ping_group_range", ""),
	family("AF_INET, raw", unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW, "CAP_NET_RAW", ""),
	family("AF_INET, Multipath TCP", unix.AF_INET, unix.SOCK_STREAM, mptcp, "a kernel that has it", ""),
	family("AF_INET, SMC", unix.AF_INET, unix.SOCK_STREAM, smc, needsModule, ""),
	family("AF_INET, SCTP", unix.AF_INET, unix.SOCK_SEQPACKET, 0, needsModule, ""),
	family("AF_INET, UDP-Lite", unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_UDPLITE, "Linux before 7.1", ""),
	family("AF_INET6", unix.AF_INET6, unix.SOCK_STREAM, 0, "IPv6", ""),
	family("AF_NETLINK", unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE, "", ""),
	family("AF_NETLINK, kernel events", unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_KOBJECT_UEVENT, "", ""),
	family("AF_PACKET", unix.AF_PACKET, unix.SOCK_RAW, 0, "CAP_NET_RAW, and "+needsModule, ""),
	family("AF_VSOCK", unix.AF_VSOCK, unix.SOCK_STREAM, 0, needsModule, ""),
	family("AF_ALG", unix.AF_ALG, unix.SOCK_SEQPACKET, 0, needsModule, ""),
	family("AF_KEY", unix.AF_KEY, unix.SOCK_RAW, 2, "CAP_NET_ADMIN, and "+needsModule, ""),
	family("AF_XDP", unix.AF_XDP, unix.SOCK_RAW, 0, "CAP_NET_RAW, and a kernel that has it", ""),
	family("AF_BLUETOOTH", unix.AF_BLUETOOTH, unix.SOCK_RAW, 1, needsModule, ""),
	family("AF_CAN", unix.AF_CAN, unix.SOCK_RAW, 1, needsModule, ""),
	family("AF_TIPC", unix.AF_TIPC, unix.SOCK_SEQPACKET, 0, needsModule, ""),
	family("AF_RDS", unix.AF_RDS, unix.SOCK_SEQPACKET, 0, needsModule, ""),
	family("AF_SMC", afSMC, unix.SOCK_STREAM, 0, needsModule, ""),
	family("AF_KCM", afKCM, unix.SOCK_DGRAM, 0, needsModule, ""),
	family("AF_QIPCRTR", afQIPCRTR, unix.SOCK_DGRAM, 0, needsModule, ""),
	family("AF_NFC", unix.AF_NFC, unix.SOCK_RAW, 0, needsModule, ""),
	family("AF_PHONET", unix.AF_PHONET, unix.SOCK_DGRAM, 0, needsModule, ""),
	family("AF_IEEE802154", unix.AF_IEEE802154, unix.SOCK_DGRAM, 0, needsModule, ""),
	family("AF_CAIF", unix.AF_CAIF, unix.SOCK_SEQPACKET, 0, needsModule, ""),
	family("AF_MCTP", afMCTP, unix.SOCK_DGRAM, 0, needsModule, ""),
	family("AF_X25", unix.AF_X25, unix.SOCK_SEQPACKET, 0, needsModule, ""),
	family("AF_APPLETALK", unix.AF_APPLETALK, unix.SOCK_DGRAM, 0, needsModule, ""),
	family("AF_PPPOX", unix.AF_PPPOX, unix.SOCK_DGRAM, 0, needsModule, ""),

	{name: "connect by TCP", denied: eacces, try: func(f *field) error {
		return withSocket(unix.AF_INET, unix.SOCK_STREAM, 0, func(fd int) error { return unix.Connect(fd, local(f.Victim.TCP)) })
	}},
	{name: "connect by TCP Fast Open", denied: eacces, try: func(f *field) error {
		return withSocket(unix.AF_INET, unix.SOCK_STREAM, 0, func(fd int) error {
			return unix.Sendto(fd, []byte("text"), unix.MSG_FASTOPEN|unix.MSG_NOSIGNAL, local(f.Victim.TCP))
		})
	}},
	{name: "connect by Multipath TCP", denied: eacces, control: "a kernel that has it", try: func(f *field) error {
		return withSocket(unix.AF_INET, unix.SOCK_STREAM, mptcp, func(fd int) error { return unix.Connect(fd, local(f.Victim.TCP)) })
	}},
	{name: "listen by TCP", denied: eacces, try: func(f *field) error {
		return withSocket(unix.AF_INET, unix.SOCK_STREAM, 0, func(fd int) error {
			if err := unix.Bind(fd, local(0)); err != nil {
				return err
			}
			return unix.Listen(fd, 1)
		})
	}},
	{name: "listen by TCP without binding", denied: eacces, try: func(f *field) error {
		return withSocket(unix.AF_INET, unix.SOCK_STREAM, 0, func(fd int) error { return unix.Listen(fd, 1) })
	}},
	{name: "listen by Multipath TCP", denied: eacces, control: "a kernel that has it", try: func(f *field) error {
		return withSocket(unix.AF_INET, unix.SOCK_STREAM, mptcp, func(fd int) error {
			if err := unix.Bind(fd, local(0)); err != nil {
				return err
			}
			return unix.Listen(fd, 1)
		})
	}},
	{name: "send by UDP", denied: eacces, try: func(f *field) error {
		return withSocket(unix.AF_INET, unix.SOCK_DGRAM, 0, func(fd int) error { return unix.Sendto(fd, []byte("text"), 0, local(f.Victim.UDP)) })
	}},
	{name: "connect a given socket by sending", denied: []string{"ENOTSUP"}, try: func(f *field) error {
		return unix.Sendto(givenTCP, []byte("text"), unix.MSG_FASTOPEN|unix.MSG_NOSIGNAL, local(f.Victim.TCP))
	}},
	{name: "connect a given socket by sending a message", denied: []string{"ENOTSUP"}, lasting: true, try: func(f *field) error {
		return unix.Sendmsg(givenTCP, []byte("text"), nil, local(f.Victim.TCP), unix.MSG_FASTOPEN|unix.MSG_NOSIGNAL)
	}},
	{name: "connect a given socket", denied: eacces, lasting: true, try: func(f *field) error {
		return unix.Connect(givenTCP, local(f.Victim.TCP))
	}},

	{name: "connect to a unix socket by its path", denied: eacces, try: func(f *field) error {
		return withSocket(unix.AF_UNIX, unix.SOCK_STREAM, 0, func(fd int) error { return unix.Connect(fd, path(f, "stream")) })
	}},
	{name: "send to a unix socket by its path", denied: eacces, try: func(f *field) error {
		return withSocket(unix.AF_UNIX, unix.SOCK_DGRAM, 0, func(fd int) error { return unix.Sendto(fd, []byte("text"), 0, path(f, "datagram")) })
	}},
	{name: "connect to an abstract unix socket", denied: []string{"EACCES", "EPERM"}, try: func(f *field) error {
		return withSocket(unix.AF_UNIX, unix.SOCK_STREAM, 0, func(fd int) error {
			return unix.Connect(fd, &unix.SockaddrUnix{Name: f.Victim.Stream})
		})
	}},
	{name: "send to an abstract unix socket", denied: []string{"EACCES", "EPERM"}, try: func(f *field) error {
		return withSocket(unix.AF_UNIX, unix.SOCK_DGRAM, 0, func(fd int) error {
			return unix.Sendto(fd, []byte("text"), 0, &unix.SockaddrUnix{Name: f.Victim.Datagram})
		})
	}},
	{name: "send from a pair to a unix socket by its path", denied: eacces, try: func(f *field) error {
		return withPair(unix.SOCK_DGRAM, func(fd int) error { return unix.Sendto(fd, []byte("text"), 0, path(f, "datagram")) })
	}},
	{name: "send from a raw pair to a unix socket by its path", denied: eacces, try: func(f *field) error {
		return withPair(unix.SOCK_RAW, func(fd int) error { return unix.Sendto(fd, []byte("text"), 0, path(f, "datagram")) })
	}},
	{name: "connect a pair to a unix socket by its path", denied: eacces, try: func(f *field) error {
		return withPair(unix.SOCK_DGRAM, func(fd int) error { return unix.Connect(fd, path(f, "datagram")) })
	}},
	{name: "send from a pair to an abstract unix socket", denied: []string{"EACCES", "EPERM"}, try: func(f *field) error {
		return withPair(unix.SOCK_DGRAM, func(fd int) error {
			return unix.Sendto(fd, []byte("text"), 0, &unix.SockaddrUnix{Name: f.Victim.Datagram})
		})
	}},
	{name: "talk over a pair of streams", allowed: "to whom the program gives the other end", try: func(f *field) error {
		return withPair(unix.SOCK_STREAM, func(fd int) error { return unix.Send(fd, []byte("text"), 0) })
	}},
	{name: "pair of AF_TIPC", denied: eacces, control: needsModule, try: func(f *field) error {
		pair, err := unix.Socketpair(unix.AF_TIPC, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			unix.Close(pair[0])
			unix.Close(pair[1])
		}
		return err
	}},
	{name: "listen on a unix socket in the directory", denied: eacces, allowed: beforeUnix + "; it is the caller's directory", try: func(f *field) error {
		return withSocket(unix.AF_UNIX, unix.SOCK_STREAM, 0, func(fd int) error {
			return at(f.In, func(dir int) error {
				if err := unix.Bind(fd, &unix.SockaddrUnix{Name: fmt.Sprintf("/proc/self/fd/%d/own", dir)}); err != nil {
					return err
				}
				return unix.Listen(fd, 1)
			})
		})
	}},
}

// family is the attempt to create a socket.
func family(name string, domain, kind, protocol int, control, allowed string) attempt {
	return attempt{name: "socket of " + name, denied: []string{"EACCES", "EPROTONOSUPPORT"}, control: control, allowed: allowed, try: func(*field) error {
		return withSocket(domain, kind, protocol, func(int) error { return nil })
	}}
}

func withSocket(domain, kind, protocol int, do func(fd int) error) error {
	fd, err := unix.Socket(domain, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := do(fd); !errors.Is(err, unix.EINPROGRESS) { // and will be done
		return err
	}
	return nil
}

func withPair(kind int, do func(fd int) error) error {
	pair, err := unix.Socketpair(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	return do(pair[0])
}

func local(port int) unix.Sockaddr {
	return &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}
}

// path is the address of a socket outside, whose path may be longer than that.
func path(f *field, name string) unix.Sockaddr {
	fd, err := unix.Open(f.Out, unix.O_PATH, 0)
	if err != nil {
		return &unix.SockaddrUnix{Name: f.Out + "/" + name}
	}
	return &unix.SockaddrUnix{Name: fmt.Sprintf("/proc/self/fd/%d/%s", fd, name)}
}
