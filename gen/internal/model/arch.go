package model

import "slices"

// An Arch is a GOARCH on linux and what the kernel calls it.
type Arch struct {
	GOARCH    string
	Kernel    string // the directory of its port under arch/ of the kernel
	Bits      int    // of a pointer and of a long
	BigEndian bool
}

// Arches is the list of `go tool dist list` for linux.
var Arches = []Arch{
	{GOARCH: "386", Kernel: "x86", Bits: 32},
	{GOARCH: "amd64", Kernel: "x86", Bits: 64},
	{GOARCH: "arm", Kernel: "arm", Bits: 32},
	{GOARCH: "arm64", Kernel: "arm64", Bits: 64},
	{GOARCH: "loong64", Kernel: "loongarch", Bits: 64},
	{GOARCH: "mips", Kernel: "mips", Bits: 32, BigEndian: true},
	{GOARCH: "mips64", Kernel: "mips", Bits: 64, BigEndian: true},
	{GOARCH: "mips64le", Kernel: "mips", Bits: 64},
	{GOARCH: "mipsle", Kernel: "mips", Bits: 32},
	{GOARCH: "ppc64", Kernel: "powerpc", Bits: 64, BigEndian: true},
	{GOARCH: "ppc64le", Kernel: "powerpc", Bits: 64},
	{GOARCH: "riscv64", Kernel: "riscv", Bits: 64},
	{GOARCH: "s390x", Kernel: "s390", Bits: 64, BigEndian: true},
}

// ArchByName finds the Arch of a GOARCH.
func ArchByName(goarch string) (Arch, bool) {
	i := slices.IndexFunc(Arches, func(a Arch) bool { return a.GOARCH == goarch })
	if i < 0 {
		return Arch{}, false
	}
	return Arches[i], true
}
