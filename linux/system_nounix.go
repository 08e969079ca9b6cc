//go:build !unix

package linux

// A Credential has the IDs with which a program is executed.
type Credential struct {
	Uid, Gid    uint32
	Groups      []uint32
	NoSetGroups bool
}
