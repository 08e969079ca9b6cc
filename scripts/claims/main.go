// Claims looks for sentences of the README and of the package comments that promise
// something: a number with a unit, or a word such as never. testdata/claims.txt says
// of each which test or benchmark shows it. A sentence that is not there, a test that
// is none, and an entry for a sentence that is in no document any more fail. So does
// a link to a file that is not there.
//
//	claims           check
//	claims -list     print the sentences that are not in the file, to be added to it
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const file = "testdata/claims.txt"

// documents are the README and the packages whose comments are read.
var (
	readme   = "README.md"
	linked   = []string{"README.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md"}
	packages = []string{"linux", "linux/exec", "linux/landlock", "linux/seccomp", "uapi", "gen"}
)

// promise is what makes a sentence one that has to be shown.
var promise = regexp.MustCompile(`(?i)\b(` +
	`[0-9][0-9.,]*( to [0-9.,]+)?( |-)?(%|ms|us|s|seconds?|minutes?|hours?|times|bytes|kilobytes?|[KMG]i?B|threads?|goroutines?|descriptors|children|assertions|faults|architectures)` +
	`|never|always|cannot|guarantees?|no zombies?|no threads?|without threads?|proven|nothing|nobody|however|whatever|in silence|no other|ends with|kills|must not|the same on all` +
	`)(\W|$)`)

// A claim is a sentence, and what shows it.
type claim struct {
	where, sentence string
}

// promises returns the sentences of a document that are to be shown.
func promises(where string, paragraphs []string) []claim {
	var all []claim
	for _, p := range paragraphs {
		for _, s := range sentences(p) {
			if promise.MatchString(s) {
				all = append(all, claim{where, s})
			}
		}
	}
	return all
}

// sentences splits a paragraph.
func sentences(paragraph string) []string {
	var all []string
	words := strings.Fields(paragraph)
	begin := 0
	for i, w := range words {
		last := i == len(words)-1
		end := strings.HasSuffix(strings.TrimRight(w, ")\"`*"), ".") && !strings.HasSuffix(w, "e.g.")
		if last || end && strings.ContainsAny(words[i+1][:1], "ABCDEFGHIJKLMNOPQRSTUVWXYZ[`\"(") {
			all = append(all, strings.Join(words[begin:i+1], " "))
			begin = i + 1
		}
	}
	return all
}

// readShown reads the file: a line at the margin has the tests, and indented ones
// below it the sentences that they show. The test "-" is for sentences that tell what
// others do, and need none. A line that begins with # is a comment.
func readShown(text string) (map[string][]string, error) {
	shown := map[string][]string{}
	var tests []string
	for n, line := range strings.Split(text, "\n") {
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case line[0] != ' ' && line[0] != '\t':
			tests = strings.Fields(line)
		case tests == nil:
			return nil, fmt.Errorf("line %d: no test stands before it", n+1)
		default:
			s := strings.Join(strings.Fields(line), " ")
			if shown[s] != nil {
				return nil, fmt.Errorf("line %d: the sentence is there twice", n+1)
			}
			shown[s] = tests
		}
	}
	return shown, nil
}

var (
	function = regexp.MustCompile(`^func ((Test|Benchmark|Example|Fuzz)\w*)\(`)
	target   = regexp.MustCompile(`^([a-z-]+):`)
)

// evidence returns what can show a claim: the names of tests, benchmarks and
// examples, and the targets of make as make:TARGET.
func evidence(root string) (map[string]bool, error) {
	all := map[string]bool{}
	collect := func(path string, re *regexp.Regexp, prefix string) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if m := re.FindStringSubmatch(lines.Text()); m != nil {
				all[prefix+m[1]] = true
			}
		}
		return lines.Err()
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root:
			return filepath.SkipDir
		case strings.HasSuffix(path, "_test.go"):
			return collect(path, function, "")
		case d.Name() == "Makefile" || strings.HasSuffix(path, ".mk"):
			return collect(path, target, "make:")
		}
		return nil
	})
	return all, err
}

// compare returns what is wrong, and the claims that nothing shows.
func compare(claims []claim, shown map[string][]string, evidence map[string]bool) (wrong []string, open []claim) {
	found := map[string]bool{}
	for _, c := range claims {
		found[c.sentence] = true
		if shown[c.sentence] == nil {
			open = append(open, c)
			wrong = append(wrong, fmt.Sprintf("%s promises what no test is named for: %s", c.where, c.sentence))
		}
	}
	for sentence, tests := range shown {
		if !found[sentence] {
			wrong = append(wrong, "no document says, or it is no promise: "+sentence)
		}
		for _, name := range tests {
			if name != "-" && !evidence[name] {
				wrong = append(wrong, fmt.Sprintf("there is no %s, to show: %s", name, sentence))
			}
		}
	}
	slices.Sort(wrong)
	return wrong, open
}

func run(root string, list bool) (wrong []string, err error) {
	text, err := os.ReadFile(filepath.Join(root, readme))
	if err != nil {
		return nil, err
	}
	claims := promises(readme, markdown(string(text)))
	for _, p := range packages {
		paragraphs, err := packageComment(filepath.Join(root, p))
		if err != nil {
			return nil, err
		}
		claims = append(claims, promises(p, paragraphs)...)
	}
	text, err = os.ReadFile(filepath.Join(root, file))
	if err != nil {
		return nil, err
	}
	shown, err := readShown(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	names, err := evidence(root)
	if err != nil {
		return nil, err
	}
	wrong, open := compare(claims, shown, names)
	for _, document := range linked {
		broken, err := links(root, document)
		if err != nil {
			return nil, err
		}
		wrong = append(wrong, broken...)
	}
	if list {
		for _, c := range open {
			fmt.Printf("# %s\nTEST\n\t%s\n", c.where, c.sentence)
		}
		return nil, nil
	}
	if len(wrong) == 0 {
		fmt.Printf("claims: %d sentences, each with what shows it\n", len(claims))
	}
	return wrong, nil
}

func main() {
	list := flag.Bool("list", false, "print the sentences that are not in "+file)
	flag.Parse()
	wrong, err := run(".", *list)
	if err != nil {
		fmt.Fprintln(os.Stderr, "claims:", err)
		os.Exit(2)
	}
	for _, w := range wrong {
		fmt.Fprintln(os.Stderr, w)
	}
	if len(wrong) > 0 {
		fmt.Fprintf(os.Stderr, "%s names the tests: see go run ./scripts/claims -list\n", file)
		os.Exit(1)
	}
}
