//go:build linux

package linux_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-clone3/clone3/linux"
)

// runAsInit starts what a container is for, hands signals on to it, and returns
// what to exit with. Meanwhile it reaps what it inherits, and leaves the children
// that other parts of this program have started, and wait for, to them.
func runAsInit(ctx context.Context, service *linux.Child, inherited func(linux.Orphan)) (code int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reaping, err := linux.ReapOrphans(ctx, inherited)
	if err != nil {
		return 0, err
	}
	defer func() {
		cancel()
		<-reaping
	}()

	p, err := linux.Clone3(ctx, service)
	if err != nil {
		return 0, err
	}
	defer p.Close()

	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	defer signal.Stop(signals)
	go func() {
		for {
			select {
			case s := <-signals:
				p.Signal(s.(syscall.Signal))
			case <-ctx.Done():
				return
			}
		}
	}()

	status, err := p.Wait(ctx)
	if err != nil {
		return 0, err
	}
	if s := status.Signal(); s != 0 {
		return 128 + int(s), nil // as a shell says it
	}
	return status.Code(), nil
}

// An init: the first process of a container, or a supervisor. It reaps what it
// inherits, and takes nobody's status away.
func Example_init() {
	r, w, err := os.Pipe()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	code, err := runAsInit(context.Background(), &linux.Child{
		Path: "/bin/sh",
		// A process is left by its parent, the shell in parentheses, and exits with 7.
		Args:  []string{"sh", "-c", "(exit 7 &); read line; exit 3"},
		Files: []*os.File{r, nil, os.Stderr},
	}, func(o linux.Orphan) {
		if o.Status.Code() == 7 {
			fmt.Println("inherited:", o.Status)
			w.Close() // by which the service comes to its end
		}
	})
	fmt.Println("to exit with:", code, err)
	// Output:
	// inherited: exit status 7
	// to exit with: 3 <nil>
}
