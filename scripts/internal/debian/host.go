package debian

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// A mirrorError says why nothing can be had of a Debian mirror, and what to do.
type mirrorError struct{ why, advice string }

func (e *mirrorError) Error() string { return e.why + ": " + e.advice }

// Mirror returns the address of the Debian mirror to use: $DEBIAN_MIRROR, or
// the one that this machine's apt is set up with.
func Mirror() (string, error) {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return "", &mirrorError{"there is no apt-get on this machine", "use Debian or Ubuntu"}
	}
	if uri := os.Getenv("DEBIAN_MIRROR"); uri != "" {
		return uri, nil
	}
	if id := osRelease("ID"); id != "debian" {
		return "", &mirrorError{fmt.Sprintf("this system is %q, whose apt has no Debian mirror", id), "set DEBIAN_MIRROR to the address of one"}
	}
	out, err := run("", "apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages", "Component: main")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		uri, release, _ := strings.Cut(strings.TrimSpace(line), " ")
		// Security updates are an archive of their own; discs are incomplete.
		if uri != "" && !strings.Contains(release, "security") && !strings.HasPrefix(uri, "cdrom:") {
			return uri, nil
		}
	}
	return "", &mirrorError{"apt has no Debian mirror set up", "set DEBIAN_MIRROR to the address of one"}
}

// Codename returns the name of this system's release, like bookworm.
func Codename() string { return osRelease("VERSION_CODENAME") }

// osRelease returns a value of os-release.
func osRelease(key string) string {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, key+"="); ok {
			return strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return "unknown"
}

// sources returns a line of sources.list that has %s in place of the suite.
func sources() (string, error) {
	uri, err := Mirror()
	if err != nil {
		return "", err
	}
	keys, err := keyring()
	if err != nil {
		return "", err
	}
	escape := func(s string) string { return strings.ReplaceAll(s, "%", "%%") }
	return fmt.Sprintf("deb [signed-by=%s] %s %%s main\n", escape(keys), escape(uri)), nil
}

// keyring returns the file with the keys that sign Debian's archive.
func keyring() (string, error) {
	const name = "/usr/share/keyrings/debian-archive-keyring"
	for _, ext := range []string{".pgp", ".gpg"} {
		if exists(name + ext) {
			return name + ext, nil
		}
	}
	return "", errors.New(name + ".gpg is missing: install the package debian-archive-keyring")
}

// commandError describes the failure of a command by the lines it wrote that
// say why.
func commandError(name string, err error, diag string) error {
	name = filepath.Base(name)
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%s is not installed", name)
	}
	var why []string
	for line := range strings.Lines(diag) {
		line = strings.TrimSpace(line)
		if line != "" && !strings.Contains(line, "Some index files failed") && (strings.HasPrefix(line, "E: ") || !strings.HasPrefix(name, "apt")) {
			why = append(why, strings.TrimPrefix(line, "E: "))
		}
	}
	if len(why) > 3 {
		why = why[:3]
	}
	if why == nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if strings.Contains(diag, syscall.ENOSPC.Error()) || strings.Contains(diag, "No space left on device") {
		return fmt.Errorf("%s: %w", name, syscall.ENOSPC)
	}
	return fmt.Errorf("%s: %s", name, strings.Join(why, "; "))
}
