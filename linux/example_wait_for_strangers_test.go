//go:build linux

package linux_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/go-clone3/clone3/linux"
)

// watch calls ended when a process has ended, with how, where the kernel tells that
// to who is not the parent: since Linux 6.15. Any number of processes can be
// watched: that takes a goroutine each, and no thread.
func watch(ctx context.Context, pid int, ended func(how string)) error {
	f, err := linux.OpenPidFD(pid)
	if err != nil {
		return err // such as os.ErrProcessDone: there is none
	}
	go func() {
		defer f.Close()
		status, err := f.Wait(ctx)
		switch {
		case err == nil:
			ended(status.String())
		case errors.Is(err, errors.ErrUnsupported):
			ended("it is not known how")
		case ctx.Err() == nil:
			ended(err.Error())
		}
	}()
	return nil
}

// Waiting for strangers: processes that somebody else has started, such as those
// whose numbers are in files below /run.
func Example_waitForStrangers() {
	// Somebody starts a daemon: it runs until it has read a line, or there is none.
	r, w, err := os.Pipe()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Close()
	somebody := exec.Command("sh", "-c", "sh -c 'read line' <&3 >/dev/null 2>&1 & echo $!")
	somebody.ExtraFiles = []*os.File{r}
	out, err := somebody.Output()
	r.Close()
	if err != nil {
		fmt.Println(err)
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		fmt.Println(err)
		return
	}

	ended := make(chan string)
	if err := watch(context.Background(), pid, func(how string) { ended <- how }); err != nil {
		fmt.Println(err)
		return
	}
	select {
	case <-ended:
		fmt.Println("it has ended too soon")
	default:
		fmt.Println("it runs")
	}
	w.Close()
	<-ended // such as: exit status 1
	fmt.Println("it has ended")
	// Output:
	// it runs
	// it has ended
}
