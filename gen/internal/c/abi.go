package c

import (
	"fmt"
	"strings"

	"github.com/go-clone3/clone3/gen/internal/model"
)

// An abi is what a C compiler knows of an architecture before it reads the
// first header. Sizes and alignments are in bytes.
type abi struct {
	unsignedChar bool
	biggest      int64    // what __attribute__((aligned)) means
	longDouble   [2]int64 // size, alignment
	member8      int64    // alignment of an 8-byte scalar as a member, where it is less than 8
	anonAlign    bool     // unnamed bit-fields raise the alignment of their record
	macros       string   // predefined, as for -D
	sibling      string   // the GOARCH whose tables in cc fit, where cc lacks this one
}

// int128 is the alignment of __int128, which 64-bit machines have.
func (a abi) int128() int64 { return min(16, a.biggest) }

// abis is by GOARCH. The macros are those that uapi headers ask for, as GCC
// predefines them on Linux; what follows from the Arch is in predefined.
var abis = map[string]abi{
	"386":      {biggest: 16, longDouble: [2]int64{12, 4}, member8: 4, macros: "__i386__ __i386 i386 __ILP32__ _ILP32"},
	"amd64":    {biggest: 16, longDouble: [2]int64{16, 16}, macros: "__x86_64__ __x86_64 __amd64__ __amd64"},
	"arm":      {unsignedChar: true, biggest: 8, longDouble: [2]int64{8, 8}, anonAlign: true, macros: "__arm__ __ARM_EABI__ __ARMEL__"},
	"arm64":    {unsignedChar: true, biggest: 16, longDouble: [2]int64{16, 16}, anonAlign: true, macros: "__aarch64__ __AARCH64EL__"},
	"loong64":  {biggest: 16, longDouble: [2]int64{16, 16}, macros: "__loongarch__ __loongarch64 __loongarch_grlen=64 __loongarch_lp64"},
	"mips":     {biggest: 8, longDouble: [2]int64{8, 8}, sibling: "arm", macros: mipsMacros + mipsBig + mipsO32},
	"mips64":   {biggest: 16, longDouble: [2]int64{16, 16}, sibling: "mips64le", macros: mipsMacros + mipsBig + mipsN64},
	"mips64le": {biggest: 16, longDouble: [2]int64{16, 16}, macros: mipsMacros + mipsLittle + mipsN64},
	"mipsle":   {biggest: 8, longDouble: [2]int64{8, 8}, sibling: "arm", macros: mipsMacros + mipsLittle + mipsO32},
	"ppc64":    {unsignedChar: true, biggest: 16, longDouble: [2]int64{16, 16}, sibling: "ppc64le", macros: ppc64Macros + "__BIG_ENDIAN__ _BIG_ENDIAN _CALL_ELF"},
	"ppc64le":  {unsignedChar: true, biggest: 16, longDouble: [2]int64{16, 16}, macros: ppc64Macros + "__LITTLE_ENDIAN__ _LITTLE_ENDIAN _CALL_ELF=2"},
	"riscv64":  {unsignedChar: true, biggest: 16, longDouble: [2]int64{16, 16}, macros: "__riscv __riscv_xlen=64"},
	"s390x":    {unsignedChar: true, biggest: 8, longDouble: [2]int64{16, 8}, macros: "__s390__ __s390x__ __zarch__"},
}

const (
	mipsMacros  = "__mips__ _mips mips __mips_isa_rev=2 _MIPS_SZINT=32 "
	mipsBig     = "__MIPSEB__ __MIPSEB _MIPSEB MIPSEB "
	mipsLittle  = "__MIPSEL__ __MIPSEL _MIPSEL MIPSEL "
	mipsO32     = "__mips=32 _ABIO32 _MIPS_SIM=_ABIO32 _MIPS_SZLONG=32 _MIPS_SZPTR=32 _R3000 __R3000 __R3000__ R3000"
	mipsN64     = "__mips=64 __mips64 _ABI64=3 _MIPS_SIM=_ABI64 _MIPS_SZLONG=64 _MIPS_SZPTR=64 _R4000 __R4000 __R4000__ R4000"
	ppc64Macros = "__powerpc64__ __powerpc__ __PPC64__ __PPC__ "
)

// predefined returns the text that stands before the first header: the macros
// of GCC 12 in its default dialect, GNU C17.
func predefined(a model.Arch) string {
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
	for m := range strings.SplitSeq(commonMacros, "\n") {
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
	if abis[a.GOARCH].unsignedChar {
		define("__CHAR_UNSIGNED__ 1")
	}
	for m := range strings.FieldsSeq(abis[a.GOARCH].macros) {
		name, value, ok := strings.Cut(m, "=")
		if !ok {
			value = "1"
		}
		define("%s %s", name, value)
	}
	return b.String() + builtins
}

// commonMacros are those that all architectures share.
const commonMacros = `__STDC__ 1
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
__extension__`

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
