package linux

import "strconv"

// A Signal is a signal, of which Plan 9 has none with a number.
type Signal int

// Signal makes a Signal an os.Signal.
func (s Signal) Signal() {}

func (s Signal) String() string { return "signal " + strconv.Itoa(int(s)) }

// An Errno is an error number, of which Plan 9 has none.
type Errno uintptr

func (e Errno) Error() string { return "errno " + strconv.Itoa(int(e)) }
