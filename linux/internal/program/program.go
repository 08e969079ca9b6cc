//go:build linux

// Package program runs a table of prepared system calls in a new child
// process that shares the memory of its parent.
//
// Everything is prepared before: each [Step] holds the number and the
// arguments of one system call, and which results let the child go on. [Run]
// blocks all signals, clones, and returns in the parent. The child goes from
// step to step until execve replaces it, or a step fails and it exits.
//
// The loop is assembly, one short file per architecture, and it uses registers
// only: it neither reads nor writes the stack. That is why the child needs no
// stack of its own, nor care about the one of the thread that has created it,
// and why nothing in it depends on the Go runtime: no function is entered or
// left, nothing is allocated, and assembly is never a point of preemption.
//
// Besides runtime and unsafe the package imports only package uapi, which imports
// nothing but unsafe. It must stay so: see [OriginalNofile].
package program

import (
	_ "unsafe" // for go:linkname

	"github.com/go-clone3/clone3/uapi"
)

// A Step is one system call. All fields are words, so that the loop reads them
// the same way on every architecture, and the memory that Args and Dst point
// to must stay where it is, and reachable, until the child has executed its
// program or is gone.
type Step struct {
	Nr   uintptr
	Args [6]uintptr

	// Result is what the call answered: a value, or -errno from -4095 to -1,
	// on every architecture. It is to be preset to Pending.
	Result uintptr

	// Dst is the address of one more word that gets the result, such as an
	// argument of a later step. It is never zero: a result that nobody else
	// needs goes to Result twice.
	Dst uintptr

	// The child goes on if Result-Low <= Span, in unsigned arithmetic:
	// with 0 and AnyValue unless the call failed, with 0 and Anything always,
	// with w and 0 only if the result is w.
	Low, Span uintptr
}

const (
	// Pending is the result of a step that has not returned. It lies in the
	// range of errors, and no system call returns it.
	Pending = ^uintptr(4094) // -4095

	AnyValue = ^uintptr(4095) // all but the 4095 error numbers
	Anything = ^uintptr(0)
)

// The first steps of a table have fixed places. The parent makes the calls
// Block, Clone and Unblock. The child begins with step First.
const (
	Block = iota
	Clone
	Unblock
	First
)

// ExitGroup is the call with which a child ends whose step has failed.
const ExitGroup = uapi.SYS_EXIT_GROUP

// ExitStatus is the exit status of a child whose step has failed.
const ExitStatus = 127

// run makes the calls of steps Block and Clone of the table. Where Clone
// answers 0, in the child, it goes on with step First and does not return.
// Otherwise it stores the answer in the Result of Clone, makes the call
// Unblock, and returns. The last step of the table must be an execve.
func run(table *Step)

// Run does what the table says, as a system call that may take long: the thread
// makes three calls, and sleeps in the second, Clone, if that has CLONE_VFORK,
// until the child has executed its program or is gone. Other threads run
// goroutines meanwhile, and the garbage collector does not wait for this one.
// With handOff another thread begins to do so at once; without, the runtime
// first looks for some microseconds whether the call is a short one.
//
// That is what package syscall does around its system calls. To do it around
// three, between which no other thread may take over, needs the functions of
// the runtime that it uses. They are for those who have to: the runtime keeps
// their names and types (go.dev/issue/67401).
//
// Between them no stack may grow, and nothing may be instrumented.
//
//go:nosplit
//go:norace
func Run(table *Step, handOff bool) {
	if handOff {
		entersyscallblock()
	} else {
		entersyscall()
	}
	run(table)
	exitsyscall()
}

//go:linkname entersyscall runtime.entersyscall
func entersyscall()

//go:linkname entersyscallblock runtime.entersyscallblock
func entersyscallblock()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()
