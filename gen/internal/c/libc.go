package c

import (
	"io/fs"
	"slices"
)

// standIns are the headers of the compiler and of the C library that uapi
// headers include, for trees that hold the kernel's headers alone: as much as
// those headers use, laid out as the kernel and every C library on Linux have
// it. A tree that has the real ones, as /usr/include, uses them.
var standIns = map[string]string{
	"stddef.h": `#ifndef _STDDEF_H
#define _STDDEF_H
typedef __PTRDIFF_TYPE__ ptrdiff_t;
typedef __SIZE_TYPE__ size_t;
#define NULL ((void *)0)
#define offsetof(type, member) __builtin_offsetof(type, member)
#endif
`,
	"stdarg.h":  "typedef __builtin_va_list va_list;\n",
	"stdbool.h": "#define bool _Bool\n#define true 1\n#define false 0\n",
	"stdint.h": `#ifndef _STDINT_H
#define _STDINT_H
typedef __INT8_TYPE__ int8_t;
typedef __INT16_TYPE__ int16_t;
typedef __INT32_TYPE__ int32_t;
typedef __INT64_TYPE__ int64_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;
typedef __INTPTR_TYPE__ intptr_t;
typedef __UINTPTR_TYPE__ uintptr_t;
#endif
`,
	"inttypes.h": "#include <stdint.h>\n",
	"errno.h":    "#include <linux/errno.h>\n",
	"fcntl.h":    "#include <sys/types.h>\n#include <linux/fcntl.h>\n",
	"assert.h":   "#define assert(condition) ((void)0)\n",
	"stdio.h":    "#include <stddef.h>\n#include <stdarg.h>\ntypedef struct _IO_FILE FILE;\n",
	"strings.h":  "#include <stddef.h>\n",
	"sys/stat.h": "#include <sys/types.h>\n#include <linux/stat.h>\n",
	"netdb.h":    "#include <netinet/in.h>\n",
	"stdatomic.h": `#ifndef _STDATOMIC_H
#define _STDATOMIC_H
typedef enum {
	memory_order_relaxed, memory_order_consume, memory_order_acquire,
	memory_order_release, memory_order_acq_rel, memory_order_seq_cst
} memory_order;
#endif
`,
	"poll.h":     "#include <linux/poll.h>\n",
	"sys/poll.h": "#include <linux/poll.h>\n",
	"signal.h":   "#include <sys/types.h>\n#include <linux/signal.h>\n",
	"sys/mman.h": "#include <sys/types.h>\n#include <linux/mman.h>\n",
	"sched.h": `#ifndef _SCHED_H
#define _SCHED_H
#include <sys/types.h>
#include <linux/sched.h>
typedef struct { unsigned long __bits[1024 / (8 * sizeof(unsigned long))]; } cpu_set_t;
#endif
`,
	"sys/uio.h":  "#include <sys/types.h>\n#include <linux/uio.h>\n",
	"byteswap.h": "#include <stdint.h>\n",
	"string.h":   "#include <stddef.h>\n",
	"stdlib.h":   "#include <stddef.h>\n",
	"unistd.h":   "#include <sys/types.h>\n",
	"endian.h": `#ifndef __LITTLE_ENDIAN
#define __LITTLE_ENDIAN 1234
#endif
#ifndef __BIG_ENDIAN
#define __BIG_ENDIAN 4321
#endif
#ifndef __BYTE_ORDER
#define __BYTE_ORDER __BYTE_ORDER__
#endif
#define LITTLE_ENDIAN __LITTLE_ENDIAN
#define BIG_ENDIAN __BIG_ENDIAN
#define BYTE_ORDER __BYTE_ORDER
`,
	"limits.h": `#define INT_MIN (-INT_MAX - 1)
#define INT_MAX __INT_MAX__
#define UINT_MAX (INT_MAX * 2U + 1U)
#define LONG_MIN (-LONG_MAX - 1L)
#define LONG_MAX __LONG_MAX__
#define ULONG_MAX (LONG_MAX * 2UL + 1UL)
`,
	"time.h": `#ifndef _TIME_H
#define _TIME_H
#include <stddef.h>
#include <linux/time.h>
typedef long time_t;
#endif
`,
	"sys/time.h": "#include <time.h>\n",
	"sys/types.h": `#ifndef _SYS_TYPES_H
#define _SYS_TYPES_H
#include <stddef.h>
#include <stdint.h>
#include <time.h>
typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned int u_int;
typedef unsigned long u_long;
typedef unsigned long ino_t;
typedef char *caddr_t;
typedef int pid_t;
typedef unsigned int uid_t;
typedef unsigned int gid_t;
typedef unsigned int id_t;
typedef unsigned int mode_t;
typedef int key_t;
typedef int clockid_t;
typedef long off_t;
typedef __INT64_TYPE__ off64_t;
typedef long long loff_t;
typedef __UINT64_TYPE__ dev_t;
#ifdef __LP64__
typedef long ssize_t;
#else
typedef int ssize_t;
#endif
#endif
`,
	"sys/ioctl.h": "#include <asm/ioctls.h>\n#include <linux/ioctl.h>\n",
	"sys/socket.h": `#ifndef _SYS_SOCKET_H
#define _SYS_SOCKET_H
#include <stddef.h>
typedef unsigned int socklen_t;
typedef unsigned short sa_family_t;
struct sockaddr { sa_family_t sa_family; char sa_data[14]; };
struct sockaddr_storage {
	sa_family_t ss_family;
	char __ss_padding[128 - sizeof(sa_family_t) - sizeof(unsigned long)];
	unsigned long __ss_align;
};
#endif
`,
	"netinet/in.h":       "#include <sys/socket.h>\n#include <linux/in.h>\n#include <linux/in6.h>\n",
	"netinet/tcp.h":      "#include <linux/tcp.h>\n",
	"netinet/if_ether.h": "#include <linux/if_ether.h>\n",
}

// homes are headers whose names others use without including them, which
// leaves it to the programmer to include both.
var homes = []struct {
	header string
	names  []string
}{
	{"stddef.h", []string{"size_t", "offsetof", "NULL"}},
	{"stdint.h", []string{"int8_t", "int16_t", "int32_t", "int64_t", "uint8_t", "uint16_t", "uint32_t", "uint64_t"}},
	{"stdbool.h", []string{"bool"}},
	{"limits.h", []string{"INT_MAX", "UINT_MAX", "LONG_MAX", "ULONG_MAX"}},
	{"time.h", []string{"struct timespec", "time_t"}},
	{"sys/time.h", []string{"struct timeval"}},
	{"sys/socket.h", []string{"struct sockaddr", "struct sockaddr_storage", "sa_family_t"}},
	{"sys/types.h", []string{"u_char", "u_short", "u_int", "u_long", "ino_t", "caddr_t", "pid_t", "uid_t", "gid_t", "mode_t", "dev_t", "off_t", "off64_t", "loff_t", "ssize_t"}},
	{"asm/bitsperlong.h", []string{"__BITS_PER_LONG"}},
	{innerHeader, innerNames},
	{"linux/types.h", []string{"__u8", "__u16", "__u32", "__u64", "__s8", "__s16", "__s32", "__s64", "__be16", "__be32", "__be64", "__le16", "__le32", "__le64", "__poll_t"}},
	{"linux/ioctl.h", []string{"_IO", "_IOR", "_IOW", "_IOWR", "_IOC", "_IOC_NR"}},
	{"linux/const.h", []string{"_BITUL", "_BITULL"}},
	{"linux/bits.h", []string{"__GENMASK", "__GENMASK_ULL"}},
	{"linux/errno.h", []string{"EPERM", "E2BIG", "EFAULT", "ENODEV", "EINVAL", "EOPNOTSUPP"}},
	{"linux/fcntl.h", []string{"O_CLOEXEC", "O_NONBLOCK"}},
	{"linux/limits.h", []string{"PATH_MAX", "NAME_MAX"}},
	{"linux/sockios.h", []string{"SIOCPROTOPRIVATE", "SIOCDEVPRIVATE"}},
	{"linux/if.h", []string{"IFNAMSIZ"}},
	{"linux/zorro.h", []string{"ZORRO_ID"}},
	{"linux/major.h", []string{"MD_MAJOR"}},
	{"linux/fs.h", []string{"BLOCK_SIZE"}},
	{"linux/fiemap.h", []string{"struct fiemap"}},
	{"linux/filter.h", []string{"struct sock_fprog"}},
	{"linux/atmioc.h", []string{"ATMIOC_PHYTYP"}},
	{"linux/netfilter.h", []string{"NF_REPEAT"}},
	{"linux/netlink.h", []string{"NLMSG_ALIGN", "NLMSG_MIN_TYPE", "NLA_F_NESTED"}},
	{"linux/rtnetlink.h", []string{"RTNH_F_DEAD", "RTNH_F_ONLINK"}},
	{"linux/usb/ch9.h", []string{"USB_TYPE_CLASS"}},
	{"linux/videodev2.h", []string{"V4L2_EVENT_PRIVATE_START", "V4L2_CID_USER_UVC_BASE", "V4L2_CID_USER_RKISP1_BASE", "BASE_VIDIOC_PRIVATE"}},
	{"linux/serial.h", []string{"struct serial_iso7816"}},
	{"sound/asound.h", []string{"SNDRV_PROTOCOL_VERSION"}},
	{"scsi/fc/fc_fs.h", []string{"FC_MIN_MAX_PAYLOAD", "FC_MAX_PAYLOAD"}},
	{"linux/netfilter_bridge/ebtables.h", []string{"EBT_802_3"}},
	{"drm/drm.h", []string{"DRM_IO", "DRM_IOR", "DRM_IOW", "DRM_IOWR"}},
	{"asm/termbits.h", []string{"struct termios2"}},
	{"asm/ioctls.h", []string{"FIONREAD", "TIOCOUTQ"}},
	{"asm/param.h", []string{"HZ"}},
}

// homesOf returns the headers in inc that declare some of the names missing,
// without those in have.
func homesOf(inc fs.FS, missing map[string]bool, have []string) (headers []string) {
	for _, h := range homes {
		if slices.Contains(have, h.header) || !slices.ContainsFunc(h.names, func(n string) bool { return missing[n] }) {
			continue
		}
		if _, err := fs.Stat(inc, h.header); err == nil || standIns[h.header] != "" || h.header == innerHeader {
			headers = append(headers, h.header)
		}
	}
	return headers
}
