//go:build linux && !clone3_osexec

package exec_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
	"golang.org/x/sys/unix"
)

// A plugin is a program of somebody else's, with which this one talks over a
// socket. It has descriptor 3 as its end of it.
type plugin struct {
	cmd  *exec.Cmd
	conn net.Conn
}

func startPlugin(name string, args ...string) (*plugin, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	defer ours.Close()
	conn, err := net.FileConn(ours) // which duplicates it
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(name, args...)
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stderr = os.Stderr // what it has to say goes to the log
	cmd.CloseFiles = true  // and no descriptor but these
	// It ends with this program, and what it starts ends with it.
	cmd.Flags = linux.AutoKill | linux.NoNewPrivs
	cmd.Emulate = linux.AutoKill
	cmd.KillTree = true
	// If memory becomes scarce it goes first.
	first := 500
	cmd.OOMScoreAdj = &first
	if err := cmd.Start(); err != nil {
		conn.Close()
		return nil, err
	}
	return &plugin{cmd, conn}, nil
}

// socketPair returns two ends of a stream.
func socketPair() (a, b *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	// The plugin may not expect a descriptor that does not block.
	if err := unix.SetNonblock(fds[1], false); err != nil {
		unix.Close(fds[0])
		unix.Close(fds[1])
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fds[0]), "host"), os.NewFile(uintptr(fds[1]), "plugin"), nil
}

// stop asks the plugin to end, waits a while, and then kills it. It means this
// process and no other, even if it has ended meanwhile and its number is another's.
func (p *plugin) stop(ctx context.Context) error {
	p.conn.Close()
	p.cmd.Handle().Stop(ctx, syscall.SIGTERM, 5*time.Second)
	return p.cmd.Wait()
}

// A plugin host: plugins are processes that end with it, that are talked to over a
// socket which nobody else can connect to, and that can be stopped for sure.
func Example_pluginHost() {
	p, err := startPlugin("sh", "-c", `while read name <&3; do echo "hello, $name" >&3; done; exec sleep 1000`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprintln(p.conn, "host")
	answer, err := bufio.NewReader(p.conn).ReadString('\n')
	fmt.Print(answer)
	fmt.Println(err)
	fmt.Println(p.stop(context.Background()))
	// Output:
	// hello, host
	// <nil>
	// signal: terminated
}
