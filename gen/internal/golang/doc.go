// Package golang writes models as Go. It is the only one of gen that knows the
// library that writes Go.
//
// It takes the units of a run, each a group on an architecture. Merge finds what
// Go writes alike on all architectures, and what only some share; Render makes
// files of that, as bytes. It reads and writes no file.
package golang
