package gotest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Odds are how often a test has failed, of so many runs each.
type Odds struct{ Before, After, Runs int }

func (o Odds) String() string {
	return fmt.Sprintf("fails in %d of %d runs before, in %d after", o.Before, o.Runs, o.After)
}

// Worse reports whether the test fails more often after the change, and that is
// no chance: were it equally likely before and after, so much of the difference
// would be seen in less than one case of a hundred (Fisher's exact test).
func (o Odds) Worse() bool {
	failures := o.Before + o.After
	p := 0.0
	for after := o.After; after <= min(o.Runs, failures); after++ {
		if before := failures - after; before <= o.Runs {
			p += choose(o.Runs, after) * choose(o.Runs, before) / choose(2*o.Runs, failures)
		}
	}
	return p < 0.01
}

// choose returns how many sets of k there are of n.
func choose(n, k int) float64 {
	c := 1.0
	for i := range k {
		c *= float64(n-i) / float64(i+1)
	}
	return c
}

// Both are two copies of a module, before and after a change.
type Both struct{ Before, After string }

// Runs of a test that is judged: so many rounds, in which either copy has a turn
// of so many runs. What else the machine does then comes to both.
const (
	rounds = 3
	turn   = 5
)

// Judge looks at the tests of a package that fared worse after the change, be it
// in their first try alone. Many tests of programs fail now and then, and it is
// nobody's fault that one of them does so after the change. So they are run
// again, often, in both copies. A test that has failed before as well as passed, and
// does not clearly more often after, gets its odds in the results after. Any other
// is a failure there, and so is one that fails more often, also if it passed in the
// end.
func (b Both) Judge(pkg string, before, after map[string]Result, args ...string) error {
	suspects := map[string][]string{} // by the test of which they are subtests
	for test, x := range before {
		if y := after[test]; x.Action == "pass" && (y.Action != "pass" && y.Action != "skip" || x.Try == 1 && y.Try > 1) {
			suspects[top(test)] = append(suspects[top(test)], test)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(suspects)) {
		odds, err := b.odds(pkg, name, args)
		if err != nil {
			return err
		}
		for _, test := range suspects[name] {
			r, o := after[test], odds(test)
			failsBefore := before[test].Try > 1 || o.Before > 0 && o.Before < o.Runs // and passes
			if !o.Worse() && (failsBefore || r.Action == "pass") {
				if r.Action != "pass" {
					r.Odds = &o
				}
			} else {
				r.Action, r.Output = "fail", fmt.Sprintf("%s%v\n", r.Output, o)
			}
			after[test] = r
		}
	}
	return nil
}

// odds runs a test, and returns the odds of it and its subtests.
func (b Both) odds(pkg, test string, args []string) (func(test string) Odds, error) {
	args = append(slices.Clone(args), "-run=^"+regexp.QuoteMeta(test)+"$", fmt.Sprint("-count=", turn))
	var fine [2]map[string]int
	for round := range 2 * rounds {
		i, dir := 0, b.Before
		if round%2 == 1 {
			i, dir = 1, b.After
		}
		if fine[i] == nil {
			fine[i] = map[string]int{}
		}
		err := each(dir, pkg, args, func(test string, r Result) {
			if r.Action != "fail" {
				fine[i][test]++
			}
		})
		if err != nil {
			return nil, err
		}
	}
	const runs = rounds * turn
	return func(test string) Odds { return Odds{runs - fine[0][test], runs - fine[1][test], runs} }, nil
}

// top returns the test of which one is a subtest.
func top(test string) string {
	name, _, _ := strings.Cut(test, "/")
	return name
}
