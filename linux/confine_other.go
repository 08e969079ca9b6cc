//go:build !linux

package linux

import "github.com/go-clone3/clone3/linux/seccomp"

func confineHere() (abi int, filter *seccomp.Program, err error) { return 0, nil, onlyLinux("Confine") }

func filterHere([]int) (*seccomp.Filter, error) { return nil, onlyLinux("ConfineFilter") }
