//go:build linux && !clone3_osexec

package exec_test

import (
	"bufio"
	"fmt"
	"io"
	"sync"

	"github.com/go-clone3/clone3/linux"
	"github.com/go-clone3/clone3/linux/exec"
)

// A worker is a process that answers each line with a line.
type worker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func newWorker() (*worker, error) {
	cmd := exec.Command("sh", "-c", "while read n; do echo $((n * n)); done")
	cmd.Flags = linux.AutoKill | linux.NoNewPrivs // no worker is left if this program crashes
	cmd.Emulate = linux.AutoKill
	cmd.CloseFiles = true // nor has one another's pipes, which would keep it from its end
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &worker{cmd, in, bufio.NewReader(out)}, cmd.Start()
}

func (w *worker) do(n int) (answer int, err error) {
	if _, err := fmt.Fprintln(w.in, n); err != nil {
		return 0, err
	}
	_, err = fmt.Fscanln(w.out, &answer)
	return answer, err
}

// close lets the worker come to its end. However many workers there are, to wait
// for them takes a goroutine each, not a thread.
func (w *worker) close() error {
	w.in.Close()
	return w.cmd.Wait()
}

// A pool hands out its workers, one caller at a time each.
type pool chan *worker

func (p pool) do(n int) (int, error) {
	w := <-p
	defer func() { p <- w }()
	answer, err := w.do(n)
	if err != nil { // it has crashed: the next caller has a new one
		w.cmd.Handle().Kill()
		w.close()
		if next, err := newWorker(); err == nil {
			w = next
		}
	}
	return answer, err
}

// A worker pool: code that may crash, leak or hang runs in processes beside this
// one, which are started once and used many times.
func Example_workerPool() {
	p := make(pool, 3)
	for range cap(p) {
		w, err := newWorker()
		if err != nil {
			fmt.Println(err)
			return
		}
		p <- w
	}
	var answers [10]int
	var callers sync.WaitGroup
	for n := range answers {
		callers.Go(func() { answers[n], _ = p.do(n) })
	}
	callers.Wait()
	fmt.Println(answers)
	for range cap(p) {
		if err := (<-p).close(); err != nil {
			fmt.Println(err)
		}
	}
	// Output: [0 1 4 9 16 25 36 49 64 81]
}
