package linux

import (
	"os"
	"strings"
)

// CleanEnv returns an environment for a program that is not trusted: of this
// program's it has what says where programs are, and which language, time zone and
// terminal its user has (PATH, LANG, LANGUAGE, LC_*, TZ, TERM, COLORTERM, USER, LOGNAME);
// not what may be secret. HOME and TMPDIR are dir, which best is a directory for this
// alone, that the program may write to, and execute from: go test does.
func CleanEnv(dir string) []string {
	env := []string{"HOME=" + dir, "TMPDIR=" + dir}
	for _, v := range os.Environ() {
		switch name, _, _ := strings.Cut(v, "="); {
		case name == "PATH", name == "LANG", name == "LANGUAGE", name == "TZ", name == "TERM", name == "COLORTERM",
			name == "USER", name == "LOGNAME", strings.HasPrefix(name, "LC_"):
			env = append(env, v)
		}
	}
	return env
}
