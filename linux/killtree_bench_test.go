//go:build linux

package linux_test

import (
	"io"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/go-clone3/clone3/linux"
)

// BenchmarkKillTree kills a process with 1,000 children, in turns by its control
// group and by a search of /proc, and waits until all are gone.
func BenchmarkKillTree(b *testing.B) {
	const descendants = 1000
	nap := napProgram(b, time.Hour)
	if nap == "" {
		b.Skip("no tiny child for this architecture")
	}
	dir, err := os.Open(cgroup(b))
	if err != nil {
		b.Fatal(err)
	}
	defer dir.Close()
	kill := func(group bool) time.Duration {
		r, w, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		c := child("parent of many", nap, strconv.Itoa(descendants))
		c.Files[1] = w
		if group {
			c.Cgroup, c.KillTree = dir, true
		}
		p, err := linux.Clone3(background, c)
		w.Close()
		if err != nil {
			b.Fatal(err)
		}
		defer p.Close()
		if _, err := io.ReadFull(r, make([]byte, 1)); err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if group {
			err = p.Kill()
		} else {
			_, err = p.PidFD().KillTree(nil)
		}
		if err != nil {
			b.Fatal(err)
		}
		killed := time.Since(began)
		io.Copy(io.Discard, r) // until the last is gone
		p.Wait(background)
		return killed
	}
	var byGroup, bySearch []time.Duration
	for b.Loop() {
		byGroup = append(byGroup, kill(true))
		bySearch = append(bySearch, kill(false))
	}
	g, s := percentile(byGroup, 50), percentile(bySearch, 50)
	b.ReportMetric(g, "group-us")
	b.ReportMetric(s, "search-us")
	b.ReportMetric(s/g, "x-group")
}

var _ = helper("parent of many", func(args []string) int {
	n, _ := strconv.Atoi(args[1])
	for range n {
		if _, err := linux.Clone3(background, &linux.Child{Path: args[0], Env: []string{}, Files: []*os.File{nil, os.Stdout}}); err != nil {
			return fail("%v", err)
		}
	}
	os.Stdout.WriteString("+")
	time.Sleep(time.Hour)
	return 0
})
