package c

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-clone3/clone3/gen/internal/gentest"
	"github.com/go-clone3/clone3/gen/internal/model"
	"github.com/go-clone3/clone3/gen/internal/textfs"
)

// argTypes are C types that arguments may have.
var argTypes = []string{"int", "unsigned int", "long", "unsigned long", "long long", "unsigned long long"}

// dumpExpr spells an expression with all the types in it.
func dumpExpr(e model.Expr) string {
	switch {
	case e.Op == "param":
		return e.Value
	case e.Op == "const":
		return e.Value + ":" + e.Type
	}
	var args []string
	for _, a := range e.Args {
		args = append(args, dumpExpr(a))
	}
	return fmt.Sprintf("%s:%s(%s)", e.Op, e.Type, strings.Join(args, ", "))
}

func TestFunctions(t *testing.T) {
	var b strings.Builder
	g := model.Group{Name: "test", Headers: []model.Header{{Path: "tool.h"}}, Funcs: []model.FuncWish{{Pattern: "TOOL_*", Arg: "unsigned int"}, {Pattern: "*", Arg: "int"}}}
	u, err := Parse(headersIn(gentest.Archive(t, "functions.txtar")), archOf(t, "amd64"), g)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range u.Funcs {
		fmt.Fprintf(&b, "%s(%s): %s = %s\n", f.Name, strings.Join(f.Params, ", "), f.Type, dumpExpr(f.Body))
	}
	for _, s := range u.Skips {
		fmt.Fprintf(&b, "skip %s: %s\n", s.Name, s.Reason)
	}
	gentest.Golden(t, "functions.txtar", "want", []byte(b.String()))
}

// A computer computes expressions as C does, one operator at a time. It panics
// where C has no answer.
type computer struct {
	s    *scope
	args map[string]uint64
}

func (c computer) compute(e model.Expr) uint64 {
	t := c.s.basic[e.Type]
	unsigned := c.s.unsigned(t)
	bit := func(b bool) uint64 { return b2u(b) }
	var n, m uint64
	if len(e.Args) > 0 && e.Op != "?:" {
		n = c.compute(e.Args[0])
	}
	switch e.Op {
	case "param":
		return c.args[e.Value]
	case "const":
		if i, err := strconv.ParseInt(e.Value, 10, 64); err == nil {
			return uint64(i)
		}
		i, err := strconv.ParseUint(e.Value, 10, 64)
		if err != nil {
			panic(err)
		}
		return i
	case "cast":
		return c.s.fit(n, t)
	case "neg":
		return c.s.fit(-n, t)
	case "~":
		return c.s.fit(^n, t)
	case "!":
		return bit(n == 0)
	case "?:":
		if c.compute(e.Args[0]) != 0 {
			return c.compute(e.Args[1])
		}
		return c.compute(e.Args[2])
	case "&&":
		return bit(n != 0 && c.compute(e.Args[1]) != 0)
	case "||":
		return bit(n != 0 || c.compute(e.Args[1]) != 0)
	}
	m = c.compute(e.Args[1])
	of := c.s.basic[e.Args[0].Type]
	less := n < m
	if !c.s.unsigned(of) {
		less = int64(n) < int64(m)
	}
	switch e.Op {
	case "==":
		return bit(n == m)
	case "!=":
		return bit(n != m)
	case "<":
		return bit(less)
	case ">=":
		return bit(!less)
	case ">":
		return bit(!less && n != m)
	case "<=":
		return bit(less || n == m)
	case "+":
		return c.s.fit(n+m, t)
	case "-":
		return c.s.fit(n-m, t)
	case "*":
		return c.s.fit(n*m, t)
	case "&":
		return n & m
	case "|":
		return n | m
	case "^":
		return n ^ m
	case "<<":
		return c.s.fit(n<<m, t)
	case ">>":
		if unsigned {
			return n >> m
		}
		return uint64(int64(n) >> m)
	case "/", "%":
		switch {
		case unsigned && e.Op == "/":
			return n / m
		case unsigned:
			return n % m
		case e.Op == "/":
			return c.s.fit(uint64(int64(n)/int64(m)), t)
		}
		return uint64(int64(n) % int64(m))
	}
	panic("operator " + e.Op)
}

// edges are arguments at which conversions show.
var edges = []uint64{0, 1, 2, 3, 7, 8, 31, 32, 63, 127, 128, 255, 256, 1<<15 - 1, 1 << 15, 1<<16 - 1, 1 << 16, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<63 - 1, 1 << 63, 1<<64 - 1, 1<<64 - 2, 1<<64 - 128, 1<<64 - 1<<31}

// checkFunctions compares the functions of a translation with what their macros are
// for constant arguments, and returns how many answers there were.
func checkFunctions(t *testing.T, tu *translation) (answers int) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, m := range tu.macroList() {
		if !m.fnLike {
			continue
		}
		for _, arg := range argTypes {
			f, err := tu.asFunction(m, arg)
			if err != nil {
				continue
			}
			var marks []string
			for i := range f.Params {
				marks = append(marks, fmt.Sprint(paramMark, i))
			}
			toks, err := tu.expandCall(m.name, marks)
			if err != nil {
				t.Fatal(err)
			}
			for n := range 60 {
				c := computer{tu.scope, map[string]uint64{}}
				literals := map[string][]string{}
				for i, p := range f.Params {
					v := edges[rnd.IntN(len(edges))]
					if n%3 == 0 {
						v = rnd.Uint64() >> rnd.IntN(64)
					}
					typ := tu.scope.basic[arg]
					v = tu.scope.fit(v, typ)
					c.args[p] = v
					literals[marks[i]] = []string{"(", "(", arg, ")", "(", "(", "unsigned long long", ")", strconv.FormatUint(v, 10) + "ULL", ")", ")"}
				}
				var with []string
				for _, tok := range toks {
					if l := literals[tok]; l != nil {
						for _, w := range l {
							with = append(with, strings.Fields(w)...)
						}
						continue
					}
					with = append(with, tok)
				}
				want, _, err := tu.scope.eval(with)
				if err != nil {
					continue // C has no answer
				}
				answers++
				if got := c.compute(f.Body); got != want.n || tu.scope.basic[f.Type] != tu.scope.plain(want.typ) && tu.scope.named(want.typ) != f.Type {
					t.Fatalf("%s %s: %s with %v of type %s is %d of type %s, want %s\nbody %s", tu.arch.GOARCH, m.pos, m.name, c.args, arg, got, f.Type, tu.scope.spell(want), dumpExpr(f.Body))
				}
			}
		}
	}
	return answers
}

// A function must be for all arguments what its macro is for constants.
func TestFunctionsAreTheMacros(t *testing.T) {
	inc := headersIn(gentest.Archive(t, "functions.txtar"))
	for _, goarch := range []string{"386", "amd64", "arm", "mips64"} {
		g := model.Group{Name: "test", Headers: []model.Header{{Path: "tool.h"}}}
		answers, err := readTogether(new(Parser), inc, archOf(t, goarch), []model.Group{g}, func(tu *translation, _ []string) int { return checkFunctions(t, tu) })
		if err != nil {
			t.Fatal(err)
		}
		if answers < 5000 {
			t.Errorf("%s: only %d answers", goarch, answers)
		}
	}
}

// The same for the macros of the kernel's headers.
func TestFunctionsOfTheKernel(t *testing.T) {
	trees := gentest.CachedTrees(t, "headers-7*")
	if len(trees) == 0 {
		t.Skip("no kernel headers in the cache: run `make test`, which fetches them")
	}
	dir := trees[len(trees)-1]
	inc := textfs.FS(func(name string) ([]byte, error) {
		if below, ok := strings.CutPrefix(name, "asm/"); ok {
			return os.ReadFile(filepath.Join(dir, "usr/lib/linux/uapi/x86/asm", below))
		}
		return os.ReadFile(filepath.Join(dir, "usr/include", name))
	})
	var headers []string
	for _, pattern := range []string{"linux/*.h", "linux/*/*.h", "sound/*.h", "scsi/*.h", "drm/*.h", "rdma/*.h"} {
		paths, err := filepath.Glob(filepath.Join(dir, "usr/include", pattern))
		if err != nil {
			t.Fatal(err)
		}
		headers = append(headers, paths...)
	}
	answers, functions := 0, 0
	for i, path := range headers {
		if i%4 != 0 || testing.Short() && i%20 != 0 { // all of them have 222,840 answers, none of them wrong
			continue
		}
		name, _ := filepath.Rel(filepath.Join(dir, "usr/include"), path)
		goarch := []string{"amd64", "386"}[i/4%2]
		g := model.Group{Name: "test", Headers: []model.Header{{Path: filepath.ToSlash(name)}}}
		n, err := readTogether(new(Parser), inc, archOf(t, goarch), []model.Group{g}, func(tu *translation, _ []string) int {
			tu.list = slices.DeleteFunc(slices.Clone(tu.macroList()), func(m macro) bool { return m.pos.File != g.Headers[0].Path || !m.fnLike })
			functions += len(tu.list)
			return checkFunctions(t, tu)
		})
		if err == nil { // others are for other tests
			answers += n
		}
	}
	t.Logf("%d macros with arguments, %d answers", functions, answers)
	if functions == 0 || answers < 10*functions {
		t.Errorf("%d macros with arguments have only %d answers", functions, answers)
	}
}
