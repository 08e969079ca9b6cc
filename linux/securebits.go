package linux

import (
	"fmt"
	"strings"

	"github.com/go-clone3/clone3/uapi"
)

// Securebits take from the user 0 what is special about it, and more, for a
// program and all that it executes and creates. Each has a lock, after which
// nothing changes it. The zero value sets none. capabilities(7).
type Securebits uint32

const (
	// SecureNoRoot lets a program of user 0, and one with the set-user-ID bit of user
	// 0, gain no capabilities. SECBIT_NOROOT.
	SecureNoRoot       Securebits = uapi.SECBIT_NOROOT
	SecureNoRootLocked Securebits = uapi.SECBIT_NOROOT_LOCKED

	// SecureNoSetuidFixup leaves capabilities as they are when the user changes from
	// or to 0. SECBIT_NO_SETUID_FIXUP.
	SecureNoSetuidFixup       Securebits = uapi.SECBIT_NO_SETUID_FIXUP
	SecureNoSetuidFixupLocked Securebits = uapi.SECBIT_NO_SETUID_FIXUP_LOCKED

	// SecureKeepCapsLocked keeps anybody from keeping capabilities when the user
	// changes. (What it locks, SECBIT_KEEP_CAPS, the kernel clears when a program
	// is executed, so there is no name for it here.) SECBIT_KEEP_CAPS_LOCKED.
	SecureKeepCapsLocked Securebits = uapi.SECBIT_KEEP_CAPS_LOCKED

	// SecureNoAmbientRaise lets nobody add ambient capabilities; those of
	// Child.AmbientCaps stay. SECBIT_NO_CAP_AMBIENT_RAISE, Linux 4.3.
	SecureNoAmbientRaise       Securebits = uapi.SECBIT_NO_CAP_AMBIENT_RAISE
	SecureNoAmbientRaiseLocked Securebits = uapi.SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED

	// SecureExecRestrictFile asks interpreters to run only scripts that could be
	// executed. The kernel enforces nothing, and anybody may set it.
	// SECBIT_EXEC_RESTRICT_FILE, Linux 6.14.
	SecureExecRestrictFile       Securebits = uapi.SECBIT_EXEC_RESTRICT_FILE
	SecureExecRestrictFileLocked Securebits = uapi.SECBIT_EXEC_RESTRICT_FILE_LOCKED

	// SecureExecDenyInteractive asks interpreters to run nothing that is typed, piped
	// or given as an argument. As above. SECBIT_EXEC_DENY_INTERACTIVE, Linux 6.14.
	SecureExecDenyInteractive       Securebits = uapi.SECBIT_EXEC_DENY_INTERACTIVE
	SecureExecDenyInteractiveLocked Securebits = uapi.SECBIT_EXEC_DENY_INTERACTIVE_LOCKED
)

// forInterpreters are those that the kernel only keeps.
const forInterpreters = SecureExecRestrictFile | SecureExecRestrictFileLocked | SecureExecDenyInteractive | SecureExecDenyInteractiveLocked

var securebitNames = []struct {
	bit  Securebits
	name string
}{
	{SecureNoRoot, "SECBIT_NOROOT"}, {SecureNoRootLocked, "SECBIT_NOROOT_LOCKED"},
	{SecureNoSetuidFixup, "SECBIT_NO_SETUID_FIXUP"}, {SecureNoSetuidFixupLocked, "SECBIT_NO_SETUID_FIXUP_LOCKED"},
	{SecureKeepCapsLocked, "SECBIT_KEEP_CAPS_LOCKED"},
	{SecureNoAmbientRaise, "SECBIT_NO_CAP_AMBIENT_RAISE"}, {SecureNoAmbientRaiseLocked, "SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED"},
	{SecureExecRestrictFile, "SECBIT_EXEC_RESTRICT_FILE"}, {SecureExecRestrictFileLocked, "SECBIT_EXEC_RESTRICT_FILE_LOCKED"},
	{SecureExecDenyInteractive, "SECBIT_EXEC_DENY_INTERACTIVE"}, {SecureExecDenyInteractiveLocked, "SECBIT_EXEC_DENY_INTERACTIVE_LOCKED"},
}

// ParseSecurebits reads bits from names as C has them, with or without "SECBIT_",
// in upper or lower case, with commas, spaces or "|" between them. "none", or
// nothing, is none.
func ParseSecurebits(text string) (Securebits, error) {
	var s Securebits
next:
	for name := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '|' || r == ' ' }) {
		if strings.EqualFold(name, "none") {
			continue
		}
		full := strings.ToUpper(name)
		if !strings.HasPrefix(full, "SECBIT_") {
			full = "SECBIT_" + full
		}
		for _, known := range securebitNames {
			if known.name == full {
				s |= known.bit
				continue next
			}
		}
		return 0, invalid("%q is not a securebit: names are like SECBIT_NOROOT or noroot_locked", name)
	}
	return s, nil
}

// String returns the names in C, joined by "|", or "none"; bits without a name are
// printed in hexadecimal.
func (s Securebits) String() string {
	if s == 0 {
		return "none"
	}
	var names []string
	for _, n := range securebitNames {
		if s&n.bit != 0 {
			names = append(names, n.name)
			s &^= n.bit
		}
	}
	if s != 0 {
		names = append(names, fmt.Sprintf("%#x", uint32(s)))
	}
	return strings.Join(names, "|")
}

func (s Securebits) check() error {
	unknown := s
	for _, n := range securebitNames {
		unknown &^= n.bit
	}
	if unknown != 0 {
		return invalid("Securebits %v: %#x is not known to this package", s, uint32(unknown))
	}
	return nil
}
