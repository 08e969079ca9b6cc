package main

import (
	"log"
	"os"
	"runtime"

	"github.com/rogpeppe/go-internal/testscript"
)

// A test of package testing is not to be had in a program.
type test struct{}

func (test) Skip(...any)                          {}
func (test) Fatal(args ...any)                    { log.Print(args...); runtime.Goexit() }
func (test) Parallel()                            {}
func (test) Log(args ...any)                      { log.Print(args...) }
func (test) FailNow()                             { runtime.Goexit() }
func (t test) Run(_ string, f func(testscript.T)) { f(t) }
func (test) Verbose() bool                        { return true }

func main() {
	if err := os.WriteFile("script.txt", []byte("exec sh -c $PROOF_SCRIPT\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	go testscript.RunT(test{}, testscript.Params{Dir: ".", Setup: func(e *testscript.Env) error {
		e.Setenv("PROOF_SCRIPT", os.Getenv("PROOF_SCRIPT"))
		return nil
	}})
	select {}
}
