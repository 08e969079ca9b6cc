//go:build race

package seccomp

// With the race detector, under which all takes ten times as long, fewer inputs
// do: there are no goroutines here.
func init() { manyFilters /= 10 }
