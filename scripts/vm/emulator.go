package main

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/go-clone3/clone3/scripts/internal/debian"
)

// emulator returns m with an emulator that is on this system: it installs the
// package if it has to. An emulator that is too old stays, for its libraries,
// and a newer one is unpacked from the backports for this system's release.
func (ks Kernels) emulator(ctx context.Context, m Machine) (Machine, error) {
	if _, err := exec.LookPath(m.QEMU[0]); err != nil {
		if err := installPackages(ctx, ks.root, []string{m.Install}, ks.log); err != nil {
			return m, fmt.Errorf("no %s: %w", m.QEMU[0], err)
		}
	}
	if m.AtLeast == "" {
		return m, nil
	}
	version, err := emulatorVersion(ctx, m.QEMU[0])
	if err != nil || debian.Compare(version, m.AtLeast) >= 0 {
		return m, err
	}
	arch, err := exec.CommandContext(ctx, "dpkg", "--print-architecture").Output()
	if err != nil {
		return m, fmt.Errorf("%s is %s, it takes %s: %w", m.QEMU[0], version, m.AtLeast, err)
	}
	dir, err := ks.archive.Unpack(debian.Codename()+"-backports", strings.TrimSpace(string(arch)), m.Install, "qemu-system-data")
	if err != nil {
		return m, fmt.Errorf("%s is %s, it takes %s: %w", m.QEMU[0], version, m.AtLeast, err)
	}
	m.QEMU = slices.Concat([]string{filepath.Join(dir, "usr/bin", m.QEMU[0]), "-L", filepath.Join(dir, "usr/share/qemu")}, m.QEMU[1:])
	return m, nil
}

var versionOfQEMU = regexp.MustCompile(`version ([0-9]+(\.[0-9]+)+)`)

func emulatorVersion(ctx context.Context, name string) (string, error) {
	out, err := exec.CommandContext(ctx, name, "--version").Output()
	m := versionOfQEMU.FindSubmatch(out)
	if err != nil || m == nil {
		return "", fmt.Errorf("%s --version: %q, %v", name, out, err)
	}
	return string(m[1]), nil
}

func installPackages(ctx context.Context, root string, packages []string, stderr io.Writer) error {
	cmd := exec.CommandContext(ctx, filepath.Join(root, "scripts", "install.sh"), packages...)
	cmd.Stdout, cmd.Stderr = stderr, stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("install.sh %s: %w", strings.Join(packages, " "), err)
	}
	return nil
}
