package linux

import (
	"fmt"
)

// An EventKind says what has happened to a child.
type EventKind int

const (
	Ended     EventKind = iota + 1 // it has exited, or was killed
	Stopped                        // a signal has stopped it
	Continued                      // SIGCONT has let it go on
	Trapped                        // it is traced, and has stopped
)

var eventNames = map[EventKind]string{Ended: "ended", Stopped: "stopped", Continued: "continued", Trapped: "trapped"}

// String returns "stopped", for example.
func (k EventKind) String() string {
	if name, ok := eventNames[k]; ok {
		return name
	}
	return fmt.Sprintf("event %d", int(k))
}

// An Event is something that has happened to a child.
type Event struct {
	Kind   EventKind
	Signal Signal     // that has stopped, trapped, continued or killed it
	Status ExitStatus // of a child that has Ended
}
