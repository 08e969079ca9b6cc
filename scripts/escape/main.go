// Escape tries to get out of linux.Confine, and of each of its parts, on real
// kernels, as root and as a user, and holds what came of it against
// linux/testdata/escape.txt. Attempts that no confinement is needed to fail at on
// any of them prove nothing, and are listed.
//
//	go run ./scripts/escape [-update] [-kernels 6.1,7.3]
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-clone3/clone3/scripts/internal/gotest"
)

const table = "linux/testdata/escape.txt"

func main() {
	update := flag.Bool("update", false, "write what came of it to "+table)
	kernels := flag.String("kernels", "6.1,6.12,6.18,7.3", "the `releases`")
	from := flag.String("from", "", "do not boot, but read what the tests have written from this `directory`, as -keep leaves it")
	keep := flag.String("keep", "", "leave what the tests write in this `directory`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := do(ctx, strings.Split(*kernels, ","), *update, *from, *keep)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "escape:", err)
		os.Exit(1)
	}
}

func do(ctx context.Context, kernels []string, update bool, from, keep string) error {
	repo, err := gotest.Repo()
	if err != nil {
		return err
	}
	began := time.Now()
	var places []place
	for _, k := range kernels {
		places = append(places, place{k, "root"}, place{k, "user"})
	}
	outputs := make([]string, len(places))
	if from != "" {
		for i, p := range places {
			text, err := os.ReadFile(filepath.Join(from, p.String()))
			if err != nil {
				return err
			}
			outputs[i] = string(text)
		}
	} else if outputs, err = run(ctx, repo, places, keep); err != nil {
		return err
	}
	var m matrix
	for i, p := range places {
		if err := m.add(p, outputs[i]); err != nil {
			return fmt.Errorf("%v: %w", p, err)
		}
	}
	got := m.format(places)
	fmt.Print(m.unproven())
	fmt.Printf("%d attempts on %d kernels, each as root and as a user, in %v\n", len(m.rows), len(kernels), time.Since(began).Round(time.Second))
	file := filepath.Join(repo, table)
	if update {
		return os.WriteFile(file, []byte(got), 0o666)
	}
	want, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if diff := difference(string(want), got); diff != "" {
		return fmt.Errorf("%s says otherwise, which -update changes:\n%s", table, diff)
	}
	return nil
}

// run boots the kernels, two at a time, and returns what the tests have written.
func run(ctx context.Context, repo string, places []place, keep string) ([]string, error) {
	tmp, err := os.MkdirTemp("", "escape")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	vm := filepath.Join(tmp, "vm")
	build := exec.CommandContext(ctx, "go", "build", "-o", vm, "./scripts/vm")
	build.Dir, build.Stderr = repo, os.Stderr
	if err := build.Run(); err != nil {
		return nil, err
	}
	outputs, errs := make([]string, len(places)), make([]error, len(places))
	slots := make(chan bool, 2)
	var all sync.WaitGroup
	for i, p := range places {
		all.Go(func() {
			slots <- true
			defer func() { <-slots }()
			if ctx.Err() != nil {
				return
			}
			began := time.Now()
			uid := "0"
			if p.user == "user" {
				uid = "1000"
			}
			var out, log bytes.Buffer
			c := exec.CommandContext(ctx, vm, "-kernel", p.kernel, "-uid", uid, "-run", "^TestEscape", "-v", "./linux")
			c.Dir, c.Stdout, c.Stderr = repo, &out, &log
			c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
			err := c.Run()
			outputs[i] = out.String()
			if keep != "" {
				os.WriteFile(filepath.Join(keep, p.String()), out.Bytes(), 0o666)
			}
			verdict := "ok"
			if err != nil {
				verdict = "FAIL"
				errs[i] = fmt.Errorf("linux %v: %w\n%s%s", p, err, failures(out.String()), log.String())
			}
			fmt.Printf("%-4s linux %v, %v\n", verdict, p, time.Since(began).Round(time.Second))
		})
	}
	all.Wait()
	return outputs, errors.Join(append(errs, ctx.Err())...)
}

// failures returns the lines of a test's output that say what is wrong.
func failures(out string) string {
	var w strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, mark) && !strings.HasPrefix(line, "===") {
			io.WriteString(&w, line)
		}
	}
	return w.String()
}
