//go:build unix

package linux

import "syscall"

// A Credential has the IDs with which a program is executed.
type Credential = syscall.Credential
