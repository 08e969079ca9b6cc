package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	bsd3 = "Redistribution and use in source and\n binary forms, with or without ... Neither the name of X nor the names of its contributors"
	bsd2 = "Redistribution and use in source and binary forms, with or without"
	mit  = "Permission is hereby granted, free of charge, to any person ... The above copyright notice and this permission notice shall"
	gpl  = "GNU GENERAL PUBLIC LICENSE\nVersion 2"
)

func TestLicence(t *testing.T) {
	for text, want := range map[string]string{
		bsd3: "BSD-3-Clause", bsd2: "BSD-2-Clause", mit: "MIT", gpl: "GPL",
		mit + "\n" + gpl:                    "GPL",
		"Apache License\n    Version 2.0":   "Apache-2.0",
		"Mozilla Public License":            "MPL-2.0",
		"You may look at it on weekdays.":   "",
		"":                                  "",
		"GNU LESSER GENERAL PUBLIC LICENSE": "GPL",
	} {
		if got := licence([]byte(text)); got != want {
			t.Errorf("%q is taken for %q, want %q", text, got, want)
		}
	}
}

// A module without a licence, or under one besides, is not passed over.
func TestFind(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"BSD-3-Clause":          {"LICENSE": bsd3},
		"BSD-3-Clause and GPL":  {"LICENSE": bsd3, "COPYING.txt": gpl},
		"no file LICENSE":       {"README": bsd3},
		"licence that is not k": {"LICENCE": "none"},
	} {
		dir := t.TempDir()
		for file, text := range files {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		got, err := find(dir)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, name) {
			t.Errorf("got %q, want %q", got, name)
		}
	}
}

// What is not allowed fails: the views, with nothing allowed, do.
func TestViews(t *testing.T) {
	v := views[0]
	v.list = []string{"../../uapi"}
	if line, err := v.check(); err != nil || !strings.Contains(line, "1 x BSD-3-Clause") {
		t.Errorf("%q, %v", line, err)
	}
	v.allowed = []string{"MIT"}
	if _, err := v.check(); err == nil || !strings.Contains(err.Error(), "is under BSD-3-Clause") {
		t.Errorf("error %v", err)
	}
}
