//go:build !linux

package linux

import (
	"os"

	"github.com/go-clone3/clone3/linux/landlock"
	"github.com/go-clone3/clone3/linux/seccomp"
)

func confineHere() (abi int, filter *seccomp.Program, err error) { return 0, nil, onlyLinux("Confine") }

func filterHere([]int) (*seccomp.Filter, error) { return nil, onlyLinux("ConfineFilter") }

func newRuleset(*landlock.Rules) (*os.File, []string, error) {
	return nil, nil, onlyLinux("NewLandlockRuleset")
}
