package model

import (
	"errors"
	"fmt"
	"testing"
)

func TestRemarksSayThingsOnce(t *testing.T) {
	all := []string{"386", "amd64", "arm"}
	var r Remarks
	for _, arch := range all {
		r.AddError(errors.Join(errors.New("a.h:1: bad"), fmt.Errorf("%w, then %w", errors.New("one"), errors.New("other"))), arch)
	}
	r.AddError(errors.Join(errors.New("b.h:2: worse"), errors.Join(errors.New("c.h:3: worst"))), "arm")
	r.AddError(nil, "arm")
	r.Add("d.h:4: wrong", "386")
	r.Add("d.h:4: wrong", "amd64")
	const want = `a.h:1: bad (all architectures)
one, then other (all architectures)
b.h:2: worse (on arm)
c.h:3: worst (on arm)
d.h:4: wrong (on all but arm)`
	if got := r.AsError(all); got == nil || got.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", got, want)
	}
}

func TestRemarksOfOneArchitectureDoNotNameIt(t *testing.T) {
	var r Remarks
	r.Add("a.h:1: bad", "arm")
	if got := r.AsError([]string{"arm"}).Error(); got != "a.h:1: bad" {
		t.Errorf("got %q", got)
	}
	if err := (Remarks{}).AsError([]string{"arm"}); err != nil {
		t.Errorf("without remarks: got error %v", err)
	}
}

func TestErrorsAreCapped(t *testing.T) {
	var lines []string
	for i := range maxRemarks + 2 {
		lines = append(lines, fmt.Sprint("line ", i))
	}
	got := joinLines(lines).Error()
	if want := joinLines(lines[:maxRemarks]).Error() + "\nand 2 errors more"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
