//go:build linux

package main

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/scripts/internal/gotest"
)

func TestList(t *testing.T) {
	b, err := os.ReadFile("../../testdata/clients.txt")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parse(string(b)); err != nil {
		t.Error(err)
	}
}

func TestParse(t *testing.T) {
	got, err := parse("# head\nmodule a v1 ci\npackages . ./b # why\nflags -short\nkeep x.go\n\nout c has no tests\n")
	want := []client{
		{module: "a", version: "v1", ci: true, packages: []string{".", "./b"}, flags: []string{"-short"}, keep: []string{"x.go"}},
		{module: "c", out: "has no tests"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for list, want := range map[string]string{
		"module a":                        "line 1: module wants more",
		"packages .":                      "before any module",
		"out a why\npackages .":           "line 2: packages before any module",
		"module a v1":                     "a: no packages",
		"module a v1\npackages .\nflag x": "line 3: what is flag?",
	} {
		if _, err := parse(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", list, err, want)
		}
	}
}

func TestCounts(t *testing.T) {
	result := func(action string) gotest.Result { return gotest.Result{Action: action} }
	before := map[string]gotest.Result{"a": result("pass"), "b": result("pass"), "c": result("fail"), "d": result("skip")}
	after := map[string]gotest.Result{"a": result("pass"), "b": result("skip"), "c": result("fail"), "d": result("skip")}
	var c gotest.Counts
	if c.Add(before); c.String() != "2/1/1" {
		t.Errorf("got %v", c)
	}
	if n := broken(before, after); n != 1 {
		t.Errorf("%d are broken, want b alone", n)
	}
}
