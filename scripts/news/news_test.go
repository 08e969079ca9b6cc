package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestNews makes a module and a newer package uapi, with one name of each kind.
func TestNews(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"uapi/zsched.go":             "package uapi\n\nconst (\n\tCLONE_OLD = 1\n\tCLONE_UNUSED = 2\n\tCLONE_NEVER = 3\n\tOTHER = 4\n)\n",
		"uapi/zsched_linux_arm.go":   "package uapi\n\nconst CLONE_ARM = 1\n",
		"linux/flags.go":             "package linux\n\nvar x = uapi.CLONE_OLD\n",
		"linux/flags_test.go":        "package linux\n\nvar y = uapi.CLONE_UNUSED\n",
		"testdata/news.txt":          "# why\n\nCLONE_N*  nobody wants it\nCLONE_GONE*  long ago\n",
		"new/zsched.go":              "package uapi\n\nconst (\n\tCLONE_OLD = 1\n\tCLONE_UNUSED = 2\n\tCLONE_NEVER = 3\n\tCLONE_NEW = 5\n\tOTHER_NEW = 6\n\tCLONE_FRESH = 7\n)\n\ntype Args struct{}\n\nvar table = 1\n",
		"new/zsched_linux_mipsx.go":  "package uapi\n\nconst CLONE_ARM = 1\n",
		"new/zpidfd_linux_mipsx.go":  "package uapi\n\nconst PIDFD_MIPS = 1\n",
		"linux/exec/cmd.go":          "package exec\n\nvar z = unix.PIDFD_MIPS\n",
		"linux/exec/internal/doc.go": "package internal\n",
	} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var got bytes.Buffer
	if err := run(root, filepath.Join(root, "new"), &got); err != nil {
		t.Fatal(err)
	}
	const want = `uapi does not have: 5
  pidfd: PIDFD_MIPS
  sched: Args
  sched: CLONE_FRESH
  sched: CLONE_NEW
  sched: OTHER_NEW
linux does not mention, and testdata/news.txt says no reason: 3
  sched: CLONE_ARM
  sched: CLONE_FRESH
  sched: CLONE_UNUSED
testdata/news.txt has, and the kernel or linux no longer: 1
  CLONE_GONE*
`
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}

	if err := os.WriteFile(filepath.Join(root, "testdata/news.txt"), []byte("CLONE_NEVER\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := run(root, filepath.Join(root, "new"), &got); err == nil {
		t.Error("a name without a reason is no error")
	}
	if err := run(root, t.TempDir(), &got); err == nil {
		t.Error("a directory without a package is no error")
	}
}
