//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/linux"
	"golang.org/x/sys/unix"
)

// Examples without output need a program, a privilege or a release that not
// every machine has.

func ExampleOpenPidFD() {
	f, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	pid, err := f.Pid()
	fmt.Println(pid == os.Getpid(), err)
	// Output: true <nil>
}

// A process that has been reaped cannot be opened.
func ExampleOpenPidFD_done() {
	_, err := linux.OpenPidFD(1<<31 - 1)
	fmt.Println(errors.Is(err, os.ErrProcessDone))
	// Output: true
}

// Only this thread gets the signal.
func ExampleOpenThread() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	f, err := linux.OpenThread(unix.Gettid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	f.Signal(syscall.SIGUSR1)
}

// What package os/exec has started is waited for without a thread, and with a
// context. The command still has to be waited for.
func ExampleOpenProcess() {
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		log.Fatal(err)
	}
	defer cmd.Wait()
	f, err := linux.OpenProcess(cmd.Process)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := f.WaitEnd(ctx); errors.Is(err, context.DeadlineExceeded) {
		f.Signal(syscall.SIGTERM)
	}
}

// A pidfd may come in a message (SCM_RIGHTS).
func ExampleAdoptPidFD() {
	var conn *net.UnixConn
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(nil, oob)
	if err != nil {
		log.Fatal(err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		log.Fatal(err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		log.Fatal(err)
	}
	f, err := linux.AdoptPidFD(fds[0])
	if err != nil {
		unix.Close(fds[0]) // it is something else
		log.Fatal(err)
	}
	defer f.Close()
}

// A parent may have left a pidfd to its child, here as descriptor 3.
func ExampleDupPidFD() {
	file := os.NewFile(3, "pidfd")
	f, err := linux.DupPidFD(file)
	file.Close()
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
}

func ExamplePidFD_Dup() {
	p, err := linux.Clone3(context.Background(), &linux.Child{Path: "/bin/sleep", Args: []string{"sleep", "60"}})
	if err != nil {
		log.Fatal(err)
	}
	f, err := p.PidFD().Dup() // what p lends ends with p
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	p.Close()
	f.Signal(syscall.SIGTERM)
}

// A child gets a handle of its parent, as descriptor 3.
func ExamplePidFD_File() {
	f, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	file, err := f.File()
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	cmd := exec.Command("worker")
	cmd.ExtraFiles = []*os.File{file}
}

// A call that this package does not make.
func ExamplePidFD_WithFD() {
	f, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	f.WithFD(func(fd int) {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		fmt.Println(flags == unix.FD_CLOEXEC, err)
	})
	// Output: true <nil>
}

func ExamplePidFD_Close() {
	f, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(f.Close())
	fmt.Println(f.Signal(0))
	// Output:
	// <nil>
	// file already closed
}

// Who is not there is told from who may not be signalled.
func ExamplePidFD_Signal() {
	f, err := linux.OpenPidFD(1)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	switch err := f.Signal(syscall.SIGTERM); {
	case err == nil:
		fmt.Println("sent")
	case errors.Is(err, os.ErrProcessDone):
		fmt.Println("it has ended")
	case errors.Is(err, fs.ErrPermission):
		fmt.Println("not allowed")
	}
}

// A shell's job, with all its processes.
func ExamplePidFD_SignalTo() {
	p, err := linux.Clone3(context.Background(), &linux.Child{Path: "/bin/sh", Args: []string{"sh", "-c", "sleep 60 | sleep 60"}, Setpgid: true})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	if err := p.PidFD().SignalTo(linux.ScopeProcessGroup, syscall.SIGTERM); err != nil {
		log.Fatal(err)
	}
}

func ExamplePidFD_Queue() {
	f, err := linux.OpenPidFD(os.Getppid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	f.Queue(linux.ScopeDefault, syscall.SIGUSR1, 42) // which its siginfo_t has as si_value
}

// The status of a process that is not a child.
func ExamplePidFD_Wait() {
	f, err := linux.OpenPidFD(os.Getppid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	status, err := f.Wait(context.Background())
	switch {
	case errors.Is(err, errors.ErrUnsupported): // before Linux 6.15
		fmt.Println("ended")
	case err == nil:
		fmt.Println(status)
	}
}

func ExamplePidFD_WaitEnd() {
	f, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(f.WaitEnd(ctx))
	// Output: context deadline exceeded
}

// A child that another package has created, and nobody waits for.
func ExamplePidFD_Reap() {
	pid, err := syscall.ForkExec("/bin/true", []string{"true"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	f, err := linux.OpenPidFD(pid)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	status, usage, err := f.Reap(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(status, usage.Maxrss)
}

// A supervisor tells a child that has stopped from one that has ended.
func ExamplePidFD_WaitEvent() {
	p, err := linux.Clone3(context.Background(), &linux.Child{Path: "/usr/bin/worker"})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	for {
		event, err := p.PidFD().WaitEvent(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		switch event.Kind {
		case linux.Stopped:
			p.Signal(syscall.SIGCONT)
		case linux.Ended:
			fmt.Println(event.Status)
			return
		}
	}
}

func ExamplePidFD_Info() {
	f, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	info, err := f.Info()
	if errors.Is(err, errors.ErrUnsupported) { // before Linux 6.13
		fmt.Println("true true")
		return
	}
	fmt.Println(info.Has(linux.InfoPID) && info.Ppid == os.Getppid(), info.Has(linux.InfoCreds) && info.Euid == uint32(os.Geteuid()))
	// Output: true true
}

// The IDs of a container's first process, outside and inside of it.
func ExamplePidFD_FDInfo() {
	p, err := linux.Clone3(context.Background(), &linux.Child{Path: "/bin/sleep", Args: []string{"sleep", "60"}, Flags: linux.NewPID})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	info, err := p.PidFD().FDInfo()
	fmt.Println(info.NSPid, err) // such as [4711 1]
}

func ExamplePidFD_Pid() {
	f, err := linux.OpenPidFD(os.Getppid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	pid, err := f.Pid()
	fmt.Println(pid == os.Getppid(), err)
}

// The standard output of another process.
func ExamplePidFD_GetFD() {
	f, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	file, err := f.GetFD(1)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	fmt.Fprintln(file, "hello")
}

// Two processes are in the same network.
func ExamplePidFD_Namespace() {
	same := func(a, b *linux.PidFD) bool {
		x, err := a.Namespace(linux.NetNamespace)
		if err != nil {
			log.Fatal(err)
		}
		defer x.Close()
		y, err := b.Namespace(linux.NetNamespace)
		if err != nil {
			log.Fatal(err)
		}
		defer y.Close()
		i, err := x.Stat()
		if err != nil {
			log.Fatal(err)
		}
		j, err := y.Stat()
		if err != nil {
			log.Fatal(err)
		}
		return os.SameFile(i, j)
	}
	_ = same
}

// A listener in a container's network, used from outside.
func ExamplePidFD_InNamespaces() {
	f, err := linux.OpenPidFD(4711)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	var l net.Listener
	if err := f.InNamespaces(linux.NewNet, func() (err error) {
		l, err = net.Listen("tcp", "127.0.0.1:80")
		return err
	}); err != nil {
		log.Fatal(err)
	}
	defer l.Close()
}

// A goroutine that stays in the namespaces until its thread ends with it.
func ExamplePidFD_Setns() {
	f, err := linux.OpenPidFD(4711)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	go func() {
		runtime.LockOSThread() // and never unlocked
		if err := f.Setns(linux.NewNet | linux.NewUTS); err != nil {
			log.Print(err)
			return
		}
	}()
}

func ExamplePidFD_ID() {
	f, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	id, err := f.ID()
	fmt.Println(id, err) // a key for a map of processes
}

func ExamplePidFD_Equal() {
	parent, err := linux.OpenPidFD(os.Getppid())
	if err != nil {
		log.Fatal(err)
	}
	defer parent.Close()
	f, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fmt.Println(f.Equal(parent)) // false <nil>
}

// Whether a duplicate keeps a child with AutoKill alive.
func ExamplePidFD_SameDescription() {
	f, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	g, err := f.Dup()
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()
	fmt.Println(f.SameDescription(g)) // true <nil>
}

func ExamplePidFD_IsThread() {
	f, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fmt.Println(f.IsThread())
	// Output: false <nil>
}

// Somebody who is to watch a child with AutoKill, and not to keep it alive, gets
// a handle of its own.
func ExamplePidFD_KillsOnClose() {
	p, err := linux.Clone3(context.Background(), &linux.Child{Path: "/usr/bin/worker", Flags: linux.AutoKill | linux.NoNewPrivs})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	h, err := p.PidFD().Handle()
	if err != nil {
		log.Fatal(err)
	}
	watcher, err := linux.OpenHandle(h)
	if err != nil {
		log.Fatal(err)
	}
	defer watcher.Close()
	fmt.Println(p.PidFD().KillsOnClose()) // true <nil>
	fmt.Println(watcher.KillsOnClose())   // false <nil>
}

// A daemon that is started anew finds its workers again.
func ExamplePidFD_Handle() {
	f, err := linux.OpenPidFD(os.Getpid())
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	h, err := f.Handle()
	if err != nil {
		log.Fatal(err)
	}
	text, err := h.MarshalText()
	if err != nil {
		log.Fatal(err)
	}
	os.WriteFile("/run/worker", text, 0o600)
}

func ExampleOpenHandle() {
	text, err := os.ReadFile("/run/worker")
	if err != nil {
		log.Fatal(err)
	}
	var h linux.Handle
	err = h.UnmarshalText(text)
	var f *linux.PidFD
	if err == nil {
		f, err = linux.OpenHandle(h)
	}
	switch {
	case errors.Is(err, unix.ESTALE):
		fmt.Println("the worker has ended")
		return
	case err != nil:
		log.Fatal(err)
	}
	defer f.Close()
}

// A note that stays with the process, for every program to see that may.
func ExamplePidFD_SetXattr() {
	f, err := linux.OpenPidFD(4711)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	if err := f.SetXattr("trusted.supervisor", []byte("web")); err != nil {
		log.Fatal(err)
	}
	names, err := f.Xattrs()
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range names {
		value, err := f.Xattr(name)
		fmt.Println(name, string(value), err)
	}
	f.RemoveXattr("trusted.supervisor")
}

// A program in the background is to give up memory first.
func ExamplePidFD_AdviseMemory() {
	f, err := linux.OpenPidFD(4711)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	n, err := f.AdviseMemory(unix.MADV_COLD, []unix.RemoteIovec{{Base: 0x400000, Len: 1 << 20}})
	fmt.Println(n, err)
}

// Memory of a process that was killed, at once.
func ExamplePidFD_ReleaseMemory() {
	f, err := linux.OpenPidFD(4711)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	if err := f.Signal(syscall.SIGKILL); err != nil {
		log.Fatal(err)
	}
	for errors.Is(f.ReleaseMemory(), unix.EAGAIN) {
	}
}

func ExamplePidFD_KillTree() {
	dir, err := os.Open("/sys/fs/cgroup/job")
	if err != nil {
		log.Fatal(err)
	}
	defer dir.Close()
	p, err := linux.Clone3(context.Background(), &linux.Child{Path: "/bin/sh", Args: []string{"sh", "-c", "make all"}, Cgroup: dir})
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	complete, err := p.PidFD().KillTree(dir)
	if err != nil {
		log.Fatal(err)
	}
	if !complete { // never with a control group
		fmt.Println("some may be left")
	}
}

// A program tells itself to stop as somebody else would.
func ExampleSelf() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	if err := linux.Self().Signal(syscall.SIGTERM); errors.Is(err, errors.ErrUnsupported) {
		log.Fatal(err) // before Linux 6.17
	}
	<-stop
}

func ExampleSelfThread() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	linux.SelfThread().Signal(syscall.SIGUSR1)
}

// A server learns who its client is: not by a number that may be another's by
// the time it is looked at.
func ExampleOpenPeer() {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: "/run/server", Net: "unix"})
	if err != nil {
		log.Fatal(err)
	}
	conn, err := l.AcceptUnix()
	if err != nil {
		log.Fatal(err)
	}
	peer, err := linux.OpenPeer(conn)
	if err != nil {
		log.Fatal(err)
	}
	defer peer.Close()
	info, err := peer.Info()
	fmt.Println(info.Pid, info.Euid, info.CgroupID, err)
}

// A server learns who has sent each of the messages.
func ExampleReceivedPidFD() {
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: "/run/log", Net: "unixgram"})
	if err != nil {
		log.Fatal(err)
	}
	if err := linux.PassPidFD(conn, true); err != nil {
		log.Fatal(err)
	}
	message, oob := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	for {
		n, oobn, flags, _, err := conn.ReadMsgUnix(message, oob)
		if err != nil {
			log.Fatal(err)
		}
		sender, err := linux.ReceivedPidFD(oob[:oobn], flags)
		if err != nil {
			log.Print(err)
			continue
		}
		pid, err := sender.Pid()
		fmt.Printf("%d: %s %v\n", pid, message[:n], err)
		sender.Close()
	}
}

// Which way of waiting to offer.
func ExampleSupported() {
	if err := linux.Supported(linux.OpInfoExit); errors.Is(err, errors.ErrUnsupported) {
		fmt.Println("only children tell how they have ended:", err)
	}
}
