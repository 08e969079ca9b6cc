package debian

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// kernelFile is where a package has its kernel.
var kernelFile = regexp.MustCompile(`^\./(boot/vmlinu[xz]-[^/]*|usr/lib/modules/[^/]+/vmlinu[xz])$`)

// A Kernel is a kernel that a machine can boot.
type Kernel struct {
	Version string // 7.3.4
	From    string // the package, or how it was made
	Path    string // of the file, "" if it is not in the cache yet

	pkg Package
}

// FindKernel returns the newest kernel of release among the packages of a
// flavour, like cloud-amd64, for arch, as Debian calls it.
func (a *Archive) FindKernel(arch, flavour, release string) (Kernel, error) {
	// The package linux-image-V-FLAVOUR has the kernel, or only wants the
	// linux-binary-V-FLAVOUR that has it.
	name := regexp.MustCompile(`^linux-(binary|image)-[0-9][0-9.]*([+~][a-z0-9.]+)?(-[0-9]+)?-` + regexp.QuoteMeta(flavour) + `$`)
	p, err := a.Find(arch, name, release, "linux-binary-", "linux-image-")
	return Kernel{Version: p.Kernel(), From: p.Name, pkg: p}, err
}

// FindSource returns the newest kernel of release whose source is served.
func (a *Archive) FindSource(release string) (Kernel, error) {
	p, err := a.Find("amd64", sourcePackage, release)
	return Kernel{Version: p.Kernel(), From: p.Name, pkg: p}, err
}

// FetchKernel sees to it that the cache has k, and returns it with its path.
func (a *Archive) FetchKernel(k Kernel) (Kernel, error) {
	cache, err := Cache()
	if err != nil {
		return k, err
	}
	dir := filepath.Join(cache, "kernels", k.From)
	k.Path = filepath.Join(dir, "vmlinuz")
	return k, Install(dir, func(tmp string) error {
		return a.withPackage(k.pkg, tmp, func(deb string) error {
			return extractKernel(deb, filepath.Join(tmp, "vmlinuz"))
		})
	})
}

// extractKernel copies the kernel in a package to path.
func extractKernel(deb, path string) error {
	var diag strings.Builder
	cmd := exec.Command("dpkg-deb", "--fsys-tarfile", deb)
	cmd.Stderr = &diag
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	found, err := copyMember(tar.NewReader(out), kernelFile, path)
	if found || err != nil {
		out.Close() // the modules that follow are of no use
		cmd.Wait()
		return err
	}
	if err := cmd.Wait(); err != nil {
		return commandError("dpkg-deb", err, diag.String())
	}
	return fmt.Errorf("%s has no file %s", filepath.Base(deb), kernelFile)
}

// copyMember copies the first regular file of an archive that has a matching
// name to path.
func copyMember(r *tar.Reader, name *regexp.Regexp, path string) (found bool, err error) {
	for {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		case h.Typeflag != tar.TypeReg || !name.MatchString(h.Name):
			continue
		}
		f, err := os.Create(path)
		if err != nil {
			return false, err
		}
		_, err = io.Copy(f, r)
		return true, errors.Join(err, f.Close())
	}
}
