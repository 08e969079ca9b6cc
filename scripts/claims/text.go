package main

import (
	"fmt"
	"go/build"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	item = regexp.MustCompile(`^\s*([-*]|[0-9]+\.) `)
	html = regexp.MustCompile(`(?s)<!--.*?-->|<[^>\n]+>`)
	link = regexp.MustCompile(`\[([^\]]*)\]\(([^)]*)\)`)
	img  = regexp.MustCompile(`\b(src|srcset)="([^"]*)"`)
)

// links returns the links of a document to files that are not there.
func links(root, document string) (broken []string, err error) {
	text, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		return nil, err
	}
	found := append(link.FindAllStringSubmatch(string(text), -1), img.FindAllStringSubmatch(string(text), -1)...)
	for _, m := range found {
		to, _, _ := strings.Cut(m[2], "#")
		if to == "" || strings.Contains(to, ":") {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, filepath.Dir(document), to)); err != nil {
			broken = append(broken, fmt.Sprintf("%s: the link to %s leads nowhere", document, to))
		}
	}
	return broken, nil
}

// markdown returns the paragraphs, items and cells of a text, without code.
func markdown(text string) []string {
	var all []string
	var p []string
	end := func() {
		if len(p) > 0 {
			all = append(all, strings.Join(p, " "))
		}
		p = nil
	}
	fenced := false
	for _, line := range strings.Split(html.ReplaceAllString(text, ""), "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
			end()
		case fenced || strings.HasPrefix(line, "    ") && len(p) == 0:
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
			end()
		case strings.HasPrefix(line, "|"):
			end()
			for _, cell := range strings.Split(strings.Trim(line, "| "), " | ") {
				all = append(all, plain(cell))
			}
		default:
			if item.MatchString(line) {
				end()
				line = item.ReplaceAllString(line, "")
			}
			p = append(p, plain(line))
		}
	}
	end()
	return all
}

func plain(line string) string { return link.ReplaceAllString(strings.TrimSpace(line), "$1") }

// comments returns the paragraphs and items of a package's comment, without code.
func comments(text string) []string {
	var all []string
	add := func(blocks []comment.Block) {
		for _, b := range blocks {
			if p, ok := b.(*comment.Paragraph); ok {
				all = append(all, words(p.Text))
			}
		}
	}
	parsed := new(comment.Parser).Parse(text)
	add(parsed.Content)
	for _, b := range parsed.Content {
		if l, ok := b.(*comment.List); ok {
			for _, i := range l.Items {
				add(i.Content)
			}
		}
	}
	return all
}

func words(text []comment.Text) string {
	var b strings.Builder
	for _, t := range text {
		switch t := t.(type) {
		case comment.Plain:
			b.WriteString(string(t))
		case comment.Italic:
			b.WriteString(string(t))
		case *comment.Link:
			b.WriteString(words(t.Text))
		case *comment.DocLink:
			b.WriteString(words(t.Text))
		}
	}
	return b.String()
}

// packageComment returns the paragraphs of the comment of the package in a folder.
func packageComment(dir string) ([]string, error) {
	pkg, err := build.ImportDir(dir, 0)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, name := range pkg.GoFiles {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return nil, err
		}
		if f.Doc != nil {
			all = append(all, comments(f.Doc.Text())...)
		}
	}
	if all == nil {
		return nil, fmt.Errorf("%s has no package comment", dir)
	}
	return all, nil
}
