package landlock

import "github.com/go-clone3/clone3/uapi"

// Log says what denials the audit log gets, see auditd(8). The zero value is what
// the kernel does by itself: those before the program is executed are
// logged, its own and its descendants' are not, and those of rules that are added
// inside are, as these are.
type Log uint32

const (
	// LogProgram logs what is denied to the program and its descendants.
	// LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON, ABI 7, Linux 6.15.
	LogProgram Log = uapi.LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON

	// NoLogBefore does not log what is denied before the program is executed.
	// LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF, ABI 7, Linux 6.15.
	NoLogBefore Log = uapi.LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF

	// NoLogNested does not log what is denied by rules that the program or a
	// descendant adds.
	// LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF, ABI 7, Linux 6.15.
	NoLogNested Log = uapi.LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF
)

const allLogs = LogProgram | NoLogBefore | NoLogNested

var logs = []right[Log]{{LogProgram, "LogProgram", 7}, {NoLogBefore, "NoLogBefore", 7}, {NoLogNested, "NoLogNested", 7}}

// String returns the names of the flags, joined by "|"; "0" for none.
// Bits without a name are in hexadecimal.
func (l Log) String() string { return text(l, nil, logs) }
