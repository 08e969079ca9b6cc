package main

import (
	"fmt"
	"strings"
)

// An abi is what a C compiler knows of an architecture before it reads the
// first header. Sizes and alignments are in bytes.
type abi struct {
	unsignedChar bool
	biggest      int64    // what __attribute__((aligned)) means
	longDouble   [2]int64 // size, alignment
	member8      int64    // alignment of an 8-byte scalar as a member, where it is less than 8
	anonAlign    bool     // unnamed bit-fields raise the alignment of their record
	macros       string   // predefined, one a line, without #define
	sibling      string   // the GOARCH whose tables in cc fit, where cc lacks this one
}

// abis is by GOARCH. The macros are the few that uapi headers ask for, as GCC
// predefines them on Linux; those that follow from the Arch are in predefined.
var abis = map[string]abi{
	"386":      {biggest: 16, longDouble: [2]int64{12, 4}, member8: 4, macros: "__i386__ 1\n__i386 1\ni386 1"},
	"amd64":    {biggest: 16, longDouble: [2]int64{16, 16}, macros: "__x86_64__ 1\n__x86_64 1\n__amd64__ 1\n__amd64 1"},
	"arm":      {unsignedChar: true, biggest: 8, longDouble: [2]int64{8, 8}, anonAlign: true, macros: "__arm__ 1\n__ARM_EABI__ 1\n__ARMEL__ 1"},
	"arm64":    {unsignedChar: true, biggest: 16, longDouble: [2]int64{16, 16}, anonAlign: true, macros: "__aarch64__ 1\n__AARCH64EL__ 1"},
	"loong64":  {biggest: 16, longDouble: [2]int64{16, 16}, macros: "__loongarch__ 1\n__loongarch64 1\n__loongarch_grlen 64\n__loongarch_lp64 1"},
	"mips":     {biggest: 8, longDouble: [2]int64{8, 8}, sibling: "arm", macros: mips + "__MIPSEB__ 1\n__MIPSEB 1\n_MIPSEB 1\nMIPSEB 1\n" + mipsO32},
	"mipsle":   {biggest: 8, longDouble: [2]int64{8, 8}, sibling: "arm", macros: mips + "__MIPSEL__ 1\n__MIPSEL 1\n_MIPSEL 1\nMIPSEL 1\n" + mipsO32},
	"mips64":   {biggest: 16, longDouble: [2]int64{16, 16}, sibling: "mips64le", macros: mips + "__MIPSEB__ 1\n__MIPSEB 1\n_MIPSEB 1\nMIPSEB 1\n" + mipsN64},
	"mips64le": {biggest: 16, longDouble: [2]int64{16, 16}, macros: mips + "__MIPSEL__ 1\n__MIPSEL 1\n_MIPSEL 1\nMIPSEL 1\n" + mipsN64},
	"ppc64":    {unsignedChar: true, biggest: 16, longDouble: [2]int64{16, 16}, sibling: "ppc64le", macros: ppc64 + "__BIG_ENDIAN__ 1\n_BIG_ENDIAN 1\n_CALL_ELF 1"},
	"ppc64le":  {unsignedChar: true, biggest: 16, longDouble: [2]int64{16, 16}, macros: ppc64 + "__LITTLE_ENDIAN__ 1\n_LITTLE_ENDIAN 1\n_CALL_ELF 2"},
	"riscv64":  {unsignedChar: true, biggest: 16, longDouble: [2]int64{16, 16}, macros: "__riscv 1\n__riscv_xlen 64"},
	"s390x":    {unsignedChar: true, biggest: 8, longDouble: [2]int64{16, 8}, macros: "__s390__ 1\n__s390x__ 1\n__zarch__ 1"},
}

const (
	mips    = "__mips__ 1\n_mips 1\nmips 1\n_ABIO32 1\n_ABIN32 2\n_ABI64 3\n__mips_isa_rev 2\n_MIPS_SZINT 32\n"
	mipsO32 = "__mips 32\n_MIPS_SIM _ABIO32\n_MIPS_SZLONG 32\n_MIPS_SZPTR 32\n_R3000 1\n__R3000 1\n__R3000__ 1\nR3000 1"
	mipsN64 = "__mips 64\n__mips64 1\n_MIPS_SIM _ABI64\n_MIPS_SZLONG 64\n_MIPS_SZPTR 64\n_R4000 1\n__R4000 1\n__R4000__ 1\nR4000 1"
	ppc64   = "__powerpc64__ 1\n__powerpc__ 1\n__PPC64__ 1\n__PPC__ 1\n"
)

// predefined returns the text that stands before the first header: the macros
// of GCC 12 in its default dialect, GNU C17.
func predefined(a Arch) string {
	var b strings.Builder
	define := func(format string, args ...any) { fmt.Fprintf(&b, "#define "+format+"\n", args...) }
	long, int64s := "long", "long"
	order := "LITTLE"
	if a.Bits == 32 {
		long, int64s = "", "long long"
	}
	if a.BigEndian {
		order = "BIG"
	}
	for _, m := range strings.Split(`__STDC__ 1
__STDC_VERSION__ 201710L
__STDC_HOSTED__ 1
__GNUC__ 12
__GNUC_MINOR__ 2
__GNUC_PATCHLEVEL__ 0
__linux__ 1
__linux 1
linux 1
__gnu_linux__ 1
__unix__ 1
__unix 1
unix 1
__ELF__ 1
__CHAR_BIT__ 8
__SCHAR_MAX__ 0x7f
__SHRT_MAX__ 0x7fff
__INT_MAX__ 0x7fffffff
__LONG_LONG_MAX__ 0x7fffffffffffffffLL
__SIZEOF_SHORT__ 2
__SIZEOF_INT__ 4
__SIZEOF_LONG_LONG__ 8
__SIZEOF_FLOAT__ 4
__SIZEOF_DOUBLE__ 8
__INT8_TYPE__ signed char
__INT16_TYPE__ short int
__INT32_TYPE__ int
__UINT8_TYPE__ unsigned char
__UINT16_TYPE__ short unsigned int
__UINT32_TYPE__ unsigned int
__ORDER_LITTLE_ENDIAN__ 1234
__ORDER_BIG_ENDIAN__ 4321
__ORDER_PDP_ENDIAN__ 3412
__extension__`, "\n") {
		define("%s", m)
	}
	define("__BYTE_ORDER__ __ORDER_%s_ENDIAN__", order)
	define("__SIZEOF_LONG__ %d", a.Bits/8)
	define("__SIZEOF_POINTER__ %d", a.Bits/8)
	define("__SIZEOF_SIZE_T__ %d", a.Bits/8)
	define("__SIZEOF_PTRDIFF_T__ %d", a.Bits/8)
	define("__SIZEOF_LONG_DOUBLE__ %d", abis[a.GOARCH].longDouble[0])
	define("__LONG_MAX__ %s", map[int]string{32: "0x7fffffffL", 64: "0x7fffffffffffffffL"}[a.Bits])
	define("__BIGGEST_ALIGNMENT__ %d", abis[a.GOARCH].biggest)
	define("__SIZE_TYPE__ %s unsigned int", long)
	define("__PTRDIFF_TYPE__ %s int", long)
	define("__INTPTR_TYPE__ %s int", long)
	define("__UINTPTR_TYPE__ %s unsigned int", long)
	define("__INT64_TYPE__ %s int", int64s)
	define("__UINT64_TYPE__ %s unsigned int", int64s)
	if a.Bits == 64 {
		define("__LP64__ 1")
		define("_LP64 1")
		define("__SIZEOF_INT128__ 16")
	}
	if a.GOARCH == "386" {
		define("__ILP32__ 1")
		define("_ILP32 1")
	}
	if abis[a.GOARCH].unsignedChar {
		define("__CHAR_UNSIGNED__ 1")
	}
	for m := range strings.SplitSeq(abis[a.GOARCH].macros, "\n") {
		define("%s", m)
	}
	return b.String() + builtins
}

// builtins stands in for what GCC has built in. cc itself needs the
// first name.
const builtins = `
int __predefined_declarator;
typedef void *__builtin_va_list;
__UINT16_TYPE__ __builtin_bswap16(__UINT16_TYPE__);
__UINT32_TYPE__ __builtin_bswap32(__UINT32_TYPE__);
__UINT64_TYPE__ __builtin_bswap64(__UINT64_TYPE__);
long __builtin_expect(long, long);
#define __builtin_offsetof(type, member) ((__SIZE_TYPE__)&((type *)0)->member)
`
