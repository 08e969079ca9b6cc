package c

import (
	"fmt"
	"strings"
)

// innerHeader is a header that gen makes: macros of the kernel's inside that its
// uapi headers use, which no header for programs defines. They are facts that
// the kernel does not change, and are read only before headers that use one.
const innerHeader = "gen/inner.h"

// innerMacros are the names and the texts of these macros, in an order in which
// each uses only those before it.
var innerMacros = []struct{ name, text string }{
	{"BITS_PER_LONG", "(8 * __SIZEOF_LONG__)"},
	{"BITS_PER_LONG_LONG", "64"},
	{"BIT(n)", "(1UL << (n))"},
	{"BIT_ULL(n)", "(1ULL << (n))"},
	{"GENMASK(h, l)", "((~0UL << (l)) & (~0UL >> (BITS_PER_LONG - 1 - (h))))"},
	{"GENMASK_ULL(h, l)", "((~0ULL << (l)) & (~0ULL >> (63 - (h))))"},

	{"U8_MAX", "((__UINT8_TYPE__)~0U)"},
	{"S8_MAX", "((__INT8_TYPE__)(U8_MAX >> 1))"},
	{"S8_MIN", "((__INT8_TYPE__)(-S8_MAX - 1))"},
	{"U16_MAX", "((__UINT16_TYPE__)~0U)"},
	{"S16_MAX", "((__INT16_TYPE__)(U16_MAX >> 1))"},
	{"S16_MIN", "((__INT16_TYPE__)(-S16_MAX - 1))"},
	{"U32_MAX", "((__UINT32_TYPE__)~0U)"},
	{"U32_MIN", "((__UINT32_TYPE__)0)"},
	{"S32_MAX", "((__INT32_TYPE__)(U32_MAX >> 1))"},
	{"S32_MIN", "((__INT32_TYPE__)(-S32_MAX - 1))"},
	{"U64_MAX", "(~0ULL)"},
	{"S64_MAX", "((long long)(U64_MAX >> 1))"},
	{"S64_MIN", "((long long)(-S64_MAX - 1))"},

	{"SZ_1", "0x00000001"}, {"SZ_2", "0x00000002"}, {"SZ_4", "0x00000004"}, {"SZ_8", "0x00000008"},
	{"SZ_16", "0x00000010"}, {"SZ_32", "0x00000020"}, {"SZ_64", "0x00000040"}, {"SZ_128", "0x00000080"},
	{"SZ_256", "0x00000100"}, {"SZ_512", "0x00000200"},
	{"SZ_1K", "0x00000400"}, {"SZ_2K", "0x00000800"}, {"SZ_4K", "0x00001000"}, {"SZ_8K", "0x00002000"},
	{"SZ_16K", "0x00004000"}, {"SZ_32K", "0x00008000"}, {"SZ_64K", "0x00010000"}, {"SZ_128K", "0x00020000"},
	{"SZ_256K", "0x00040000"}, {"SZ_512K", "0x00080000"},
	{"SZ_1M", "0x00100000"}, {"SZ_2M", "0x00200000"}, {"SZ_4M", "0x00400000"}, {"SZ_8M", "0x00800000"},
	{"SZ_16M", "0x01000000"}, {"SZ_32M", "0x02000000"}, {"SZ_64M", "0x04000000"}, {"SZ_128M", "0x08000000"},
	{"SZ_256M", "0x10000000"}, {"SZ_512M", "0x20000000"}, {"SZ_1G", "0x40000000"}, {"SZ_2G", "0x80000000"},

	{"MSEC_PER_SEC", "1000L"}, {"USEC_PER_MSEC", "1000L"}, {"NSEC_PER_USEC", "1000L"}, {"NSEC_PER_MSEC", "1000000L"},
	{"USEC_PER_SEC", "1000000L"}, {"NSEC_PER_SEC", "1000000000L"},

	{"SOL_ATM", "264"}, {"SOL_NETLINK", "270"}, {"SOL_TIPC", "271"},

	// The order of bytes: those of a constant as they are in memory.
	{"__gen_swab16(x)", "((__UINT16_TYPE__)((((x) & 0xffU) << 8) | (((x) & 0xff00U) >> 8)))"},
	{"__gen_swab32(x)", "((__UINT32_TYPE__)((((x) & 0xffU) << 24) | (((x) & 0xff00U) << 8) | (((x) & 0xff0000U) >> 8) | (((x) & 0xff000000U) >> 24)))"},
	{"__gen_swab64(x)", "((unsigned long long)(((unsigned long long)__gen_swab32((x) & 0xffffffffULL) << 32) | __gen_swab32((unsigned long long)(x) >> 32)))"},
}

// innerOrders are macros that swap bytes on machines of one order.
var innerOrders = []struct {
	names string
	bits  int
	order string // of which they are
}{
	{"htons ntohs cpu_to_be16 be16_to_cpu __constant_cpu_to_be16 __constant_htons", 16, "BIG"},
	{"htonl ntohl cpu_to_be32 be32_to_cpu __constant_cpu_to_be32 __constant_htonl", 32, "BIG"},
	{"cpu_to_be64 be64_to_cpu __constant_cpu_to_be64", 64, "BIG"},
	{"cpu_to_le16 le16_to_cpu __constant_cpu_to_le16", 16, "LITTLE"},
	{"cpu_to_le32 le32_to_cpu __constant_cpu_to_le32", 32, "LITTLE"},
	{"cpu_to_le64 le64_to_cpu __constant_cpu_to_le64", 64, "LITTLE"},
}

// innerTypes are the kernel's own names of its integer types.
var innerTypes = []string{"u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64"}

// innerText is the header, and innerNames what it declares.
var innerText, innerNames = makeInner()

func makeInner() (string, []string) {
	var b strings.Builder
	names := append([]string(nil), innerTypes...)
	b.WriteString("#include <linux/types.h>\n")
	for _, t := range innerTypes {
		fmt.Fprintf(&b, "typedef __%s %s;\n", t, t)
	}
	define := func(head, text string) {
		name, _, _ := strings.Cut(head, "(")
		names = append(names, name)
		fmt.Fprintf(&b, "#ifndef %s\n#define %s %s\n#endif\n", name, head, text)
	}
	for _, m := range innerMacros {
		define(m.name, m.text)
	}
	for _, o := range innerOrders {
		cast := map[int]string{16: "__UINT16_TYPE__", 32: "__UINT32_TYPE__", 64: "unsigned long long"}[o.bits]
		fmt.Fprintf(&b, "#if __BYTE_ORDER__ == __ORDER_%s_ENDIAN__\n#define __gen_%[1]s%[2]d(x) ((%[3]s)(x))\n#else\n#define __gen_%[1]s%[2]d(x) __gen_swab%[2]d(x)\n#endif\n", o.order, o.bits, cast)
		for name := range strings.FieldsSeq(o.names) {
			define(name+"(x)", fmt.Sprintf("__gen_%s%d(x)", o.order, o.bits))
		}
	}
	return b.String(), names
}
