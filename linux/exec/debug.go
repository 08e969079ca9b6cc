//go:build linux && !clone3_osexec

package exec

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// With GODEBUG=execwait=1 a command that is started, dropped, and not waited for
// is a panic, and with execwait=2 it says before who has made it: as in os/exec.

// watchLeak finds out that c is dropped, if that is asked for.
func (c *Cmd) watchLeak() {
	level := execwait()
	if level == "" {
		return
	}
	if level == "2" {
		c.stack = debug.Stack()
		if i := bytes.Index(c.stack, []byte(".watchLeak(")); i >= 0 { // who has called it comes next
			if _, rest, ok := bytes.Cut(c.stack[i:], []byte("\n\t")); ok {
				if _, rest, ok = bytes.Cut(rest, []byte("\n")); ok {
					c.stack = rest
				}
			}
		}
	}
	runtime.SetFinalizer(c, (*Cmd).leaked)
}

// leaked is called when c is garbage.
func (c *Cmd) leaked() {
	switch {
	case c.Process == nil || c.ProcessState != nil:
	case c.stack == nil:
		panic("exec: Cmd started a Process but leaked without a call to Wait (set GODEBUG=execwait=2 to capture stacks for debugging)")
	default:
		os.Stderr.WriteString("GODEBUG=execwait=2 detected a leaked exec.Cmd created by:\n" + string(c.stack) + "\n")
		panic("exec: Cmd started a Process but leaked without a call to Wait")
	}
}

// execwait returns the value of that setting: the last one in the environment, or
// that with which this program was built.
func execwait() string {
	if value, ok := setting(os.Getenv("GODEBUG")); ok {
		return value
	}
	return builtExecwait()
}

var builtExecwait = sync.OnceValue(func() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "DefaultGODEBUG" {
				value, _ := setting(s.Value)
				return value
			}
		}
	}
	return ""
})

func setting(settings string) (value string, ok bool) {
	for s := range strings.SplitSeq(settings, ",") {
		if v, found := strings.CutPrefix(s, "execwait="); found {
			value, ok = v, true
		}
	}
	return value, ok
}
