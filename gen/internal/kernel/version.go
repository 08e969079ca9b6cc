package kernel

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
)

// A kernelVersion is the release of a kernel.
type kernelVersion struct {
	major, minor, patch int
	candidate           string // "-rc1" before a release; headers do not tell
}

func (v kernelVersion) String() string {
	return fmt.Sprintf("%d.%d.%d%s", v.major, v.minor, v.patch, v.candidate)
}

// header is linux/version.h, as the kernel's build writes it.
func (v kernelVersion) header() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "#define LINUX_VERSION_CODE %d\n", v.major<<16+v.minor<<8+min(v.patch, 255))
	b.WriteString("#define KERNEL_VERSION(a,b,c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))\n")
	fmt.Fprintf(&b, "#define LINUX_VERSION_MAJOR %d\n", v.major)
	fmt.Fprintf(&b, "#define LINUX_VERSION_PATCHLEVEL %d\n", v.minor)
	fmt.Fprintf(&b, "#define LINUX_VERSION_SUBLEVEL %d\n", v.patch)
	return b.Bytes()
}

var (
	makefileLine = regexp.MustCompile(`(?m)^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)[ \t]*=[ \t]*(\S+)`)
	versionLine  = regexp.MustCompile(`(?m)^#define[ \t]+LINUX_VERSION_(CODE|MAJOR|PATCHLEVEL|SUBLEVEL)[ \t]+(\d+)`)
	candidate    = regexp.MustCompile(`^-rc\d+`)
)

// makefileVersion reads the kernel's top Makefile. The name is for errors.
func makefileVersion(name string, makefile []byte) (kernelVersion, error) {
	v := matchesOf(makefileLine, makefile)
	return newVersion(name, v, "VERSION", "PATCHLEVEL", "SUBLEVEL", candidate.FindString(v["EXTRAVERSION"]))
}

// headerVersion reads linux/version.h. The name is for errors.
func headerVersion(name string, header []byte) (kernelVersion, error) {
	v := matchesOf(versionLine, header)
	if code, err := strconv.Atoi(v["CODE"]); err == nil && v["MAJOR"] == "" { // before 5.12
		return kernelVersion{major: code >> 16, minor: code >> 8 & 255, patch: code & 255}, nil
	}
	return newVersion(name, v, "MAJOR", "PATCHLEVEL", "SUBLEVEL", "")
}

func newVersion(name string, values map[string]string, major, minor, patch, candidate string) (kernelVersion, error) {
	v := kernelVersion{candidate: candidate}
	for _, part := range []struct {
		key string
		to  *int
	}{{major, &v.major}, {minor, &v.minor}, {patch, &v.patch}} {
		n, err := strconv.Atoi(values[part.key])
		if err != nil {
			return v, fmt.Errorf("%s: no %s, so the kernel's release is unknown", name, part.key)
		}
		*part.to = n
	}
	return v, nil
}

// matchesOf maps the first group of every match to its second.
func matchesOf(re *regexp.Regexp, text []byte) map[string]string {
	values := map[string]string{}
	for _, m := range re.FindAllSubmatch(text, -1) {
		if name := string(m[1]); values[name] == "" {
			values[name] = string(m[2])
		}
	}
	return values
}
