// Package guest is what the host and the init of a test machine agree on: the
// plan that the host puts into the machine's file system, and the marks that
// init writes among the output.
package guest

import (
	"fmt"
	"strconv"
	"strings"
)

// PlanFile is where the plan is in the machine.
const PlanFile = "/plan.json"

// A Plan is what init does.
type Plan struct {
	Nonce string // makes the marks unmistakable
	Runs  []Run
}

// A Run is one execution of a test binary.
type Run struct {
	Package string // import path, for people
	Dir     string // the working directory
	Args    []string
	UID     int // also the GID
}

// The kinds of marks, in the order of a machine's life.
const (
	Booted = "booted" // init runs
	Start  = "start"  // N is the index of the run
	Exit   = "exit"   // N is the exit status, 128 + N for a signal N
	Done   = "done"
)

// A Mark is a line in the output that init wrote for the host.
type Mark struct {
	Kind string
	N    int
}

// Line returns the mark as a line of its own, whatever was written before it.
func (m Mark) Line(nonce string) string {
	return fmt.Sprintf("\n%s%s:%d\n", prefix(nonce), m.Kind, m.N)
}

// ParseMark returns the mark that line is, without its newline.
func ParseMark(line, nonce string) (Mark, bool) {
	rest, ok := strings.CutPrefix(line, prefix(nonce))
	kind, number, _ := strings.Cut(rest, ":")
	n, err := strconv.Atoi(number)
	return Mark{kind, n}, ok && err == nil
}

func prefix(nonce string) string { return "clone3:" + nonce + ":" }
