package landlock

import "github.com/go-clone3/clone3/uapi"

// Scope is a set of things for which a program is kept among processes that have
// the same rules, or more: itself and its descendants. There are no exceptions.
type Scope uint64

const (
	// AbstractUnix: connect, or send a datagram, to abstract unix(7) sockets
	// that were created outside. What is connected already works on.
	// LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET, ABI 6, Linux 6.12.
	AbstractUnix Scope = uapi.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET

	// Signals: send signals to processes outside, such as the parent or
	// others of the same user.
	// LANDLOCK_SCOPE_SIGNAL, ABI 6, Linux 6.12.
	Signals Scope = uapi.LANDLOCK_SCOPE_SIGNAL
)

// AllScopes is all scopes that this package knows.
const AllScopes = AbstractUnix | Signals

var scopes = []right[Scope]{{AbstractUnix, "AbstractUnix", 6}, {Signals, "Signals", 6}}

// String returns the names of the scopes, joined by "|"; "0" for none.
// Bits without a name are in hexadecimal.
func (s Scope) String() string { return text(s, nil, scopes) }
