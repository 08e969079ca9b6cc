package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-clone3/clone3/scripts/internal/debian"
	"github.com/go-clone3/clone3/scripts/internal/guest"
)

// Limits are how long a machine may take, even when the host is busy.
type Limits struct {
	Boot time.Duration // to start init
	Run  time.Duration // from one mark to the next
}

// limits leaves programs the time to give up by themselves after limit.
func limits(limit time.Duration) Limits {
	return Limits{Boot: 3 * time.Minute, Run: limit + 15*time.Second}
}

// A MachineError says that a machine broke under its programs: the kernel has
// panicked, or the emulator has ended.
type MachineError struct{ text string }

func (e *MachineError) Error() string { return e.text }

// A Job is a boot of a kernel that runs programs.
type Job struct {
	Machine Machine
	Kernel  debian.Kernel
	Files   map[string][]byte // of the machine, /init among them
	Runs    []guest.Run
	Limit   time.Duration // of each run

	Counters *bytes.Buffer // what the last run prints, if that is the counters of coverage; else nil
}

// Boot boots the machine and follows it until it is off. An error means that
// not every run came to an end.
func (j Job) Boot(ctx context.Context, watch Watcher) error {
	dir, err := os.MkdirTemp("", "clone3-vm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	plan := guest.Plan{Nonce: rand.Text(), Runs: j.Runs}
	initrd := filepath.Join(dir, "initrd")
	if err := j.writeInitrd(initrd, plan); err != nil {
		return err
	}
	args := append([]string{}, j.Machine.QEMU[1:]...)
	args = append(args, "-nodefaults", "-no-reboot", "-kernel", j.Kernel.Path, "-initrd", initrd, "-append", j.parameters(watch))
	return watchMachine(ctx, exec.Command(j.Machine.QEMU[0], args...), plan, limits(j.Limit), watch)
}

// parameters returns the kernel's command line. panic=-1 makes it restart at
// once after a panic, which -no-reboot makes qemu's end.
func (j Job) parameters(watch Watcher) string {
	parameters := j.Machine.Append + " panic=-1"
	if watch.Kernel == nil {
		parameters += " quiet"
	}
	return parameters
}

func (j Job) writeInitrd(path string, plan guest.Plan) error {
	text, err := json.Marshal(plan)
	if err != nil {
		return err
	}
	files := map[string][]byte{strings.TrimPrefix(guest.PlanFile, "/"): text}
	for name, data := range j.Files {
		files[name] = data
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(WriteInitramfs(f, files), f.Close())
}

// watchMachine starts an emulator and follows its output until it ends or is
// out of time. Its exit status says nothing: it is 0 even after a panic.
func watchMachine(ctx context.Context, cmd *exec.Cmd, plan guest.Plan, limits Limits, watch Watcher) error {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var diag bytes.Buffer
	cmd.Stderr = &diag
	if err := cmd.Start(); err != nil {
		return err
	}
	expired := make(chan struct{})
	clock := time.AfterFunc(limits.Boot, func() { close(expired) })
	defer clock.Stop()
	allowed := limits.Boot
	c := &console{nonce: plan.Nonce, watch: watch}
	c.at.Store(beforeInit)
	c.mark = func() {
		allowed = limits.Run
		clock.Reset(allowed)
	}
	read := make(chan error, 1)
	go func() { read <- c.read(out) }()

	var timeout bool
	select {
	case err = <-read:
	case <-expired:
		timeout = true
	case <-ctx.Done():
	}
	cmd.Process.Kill()
	if timeout || ctx.Err() != nil {
		err = <-read
	}
	cmd.Wait()

	switch where := c.where(plan.Runs); {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case c.panic != "":
		return &MachineError{fmt.Sprintf("the kernel panicked %s: %s", where, c.panic)}
	case timeout:
		return fmt.Errorf("the machine was stopped %s: no end after %s%s", where, allowed, c.lastWords())
	case err != nil:
		return err
	case !c.done && diag.Len() > 0:
		return &MachineError{fmt.Sprintf("%s ended %s: %s", cmd.Args[0], where, strings.TrimSpace(diag.String()))}
	case !c.done:
		return &MachineError{fmt.Sprintf("the machine ended %s%s", where, c.lastWords())}
	case c.next != len(plan.Runs):
		return fmt.Errorf("%d of %d runs came to an end", c.next, len(plan.Runs))
	}
	return nil
}
