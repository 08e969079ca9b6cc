//go:build linux

package linux

import (
	"syscall"

	"github.com/go-clone3/clone3/uapi"
	"golang.org/x/sys/unix"
)

// trace makes the child traced by its parent.
func (p *plan) trace(c *Child) error {
	if c.Ptrace {
		p.Call(label(StepTrace, "ptrace"), uapi.SYS_PTRACE, unix.PTRACE_TRACEME)
	}
	return nil
}

// execute executes the program.
func (p *plan) execute(c *Child) error {
	args := c.Args
	if args == nil {
		args = []string{c.Path}
	}
	env := c.Env
	if env == nil {
		env = syscall.Environ()
	}
	argv, envp := p.CStrings(args), p.CStrings(env)
	if p.opened > 0 {
		i := p.Call(labelPath(StepExec, "exec", c.Path), uapi.SYS_EXECVEAT, 0, p.CString(""), argv, envp, unix.AT_EMPTY_PATH)
		p.Pass(p.opened, i, 0)
		return nil
	}
	if c.Path != "" {
		p.Call(labelPath(StepExec, "exec", c.Path), uapi.SYS_EXECVE, p.CString(c.Path), argv, envp)
		return nil
	}
	i := p.Call(labelPath(StepExec, "exec", c.Exec.Name()),
		uapi.SYS_EXECVEAT, uintptr(p.program), p.CString(""), argv, envp, unix.AT_EMPTY_PATH)
	if p.programs > 0 {
		p.Pass(p.programs, i, 0)
	}
	return nil
}
