package main

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A picture is a title, a sentence on what is measured, panels beside each
// other, and where the figures are from.
type picture struct {
	name          string
	title, detail string
	height        vg.Length
	panels        []panel
}

// A panel is bars or lines.
type panel struct {
	title string // of the panel, if there is more than one
	share float64
	axis  string // what its values are, with their unit
	along string // of lines: what is below
	bars  []bar
	bound *bound
	lines []line
}

// A bar is the value of a benchmark. Its whisker, if there is one, is another.
type bar struct {
	label     string
	series    int
	benchmark string
	unit      string
	whisker   string // unit of it
	scale     float64
	optional  bool // it is left out if there is no such value
}

// A bound is a line across the bars.
type bound struct {
	label, benchmark, unit string
	scale                  float64
}

// A line is the values of benchmarks that are called alike but for a number.
type line struct {
	label     string
	series    int
	benchmark string // the part before the number
	at        []float64
	unit      string
	scale     float64
}

const (
	width vg.Length = 830
	gap   vg.Length = 24 // between panels
)

// svg draws the picture.
func (p picture) svg(f *Figures, l look) ([]byte, error) {
	canvas := vgsvg.New(width, p.height)
	c := draw.New(canvas)
	c.SetColor(l.paper)
	c.Fill(c.Rectangle.Path())
	const margin = 16
	c = draw.Crop(c, margin, -margin, margin, -margin)
	c.FillText(bold(style(large, l.ink, draw.XLeft, draw.YTop)), vg.Point{X: c.Min.X, Y: c.Max.Y}, p.title)
	c.FillText(style(medium, l.grey, draw.XLeft, draw.YTop), vg.Point{X: c.Min.X, Y: c.Max.Y - 24}, p.detail)
	foot := f.machine()
	if t, err := time.Parse(time.DateOnly, f.Date); err == nil {
		foot += ", " + t.Format("2 January 2006")
	}
	c.FillText(style(small, l.grey, draw.XLeft, draw.YBottom), c.Min, foot)
	c = draw.Crop(c, 0, 0, 24, -52)
	total, left := 0.0, vg.Length(0)
	for _, q := range p.panels {
		total += q.share
	}
	for _, q := range p.panels {
		w := (c.Max.X - c.Min.X + gap) * vg.Length(q.share/total)
		part := draw.Crop(c, left, left+w-gap-(c.Max.X-c.Min.X), 0, 0)
		left += w
		if err := q.draw(part, f, l); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	return p.dress(b.Bytes(), f), nil
}

var size = regexp.MustCompile(`<svg width="[^"]*" height="[^"]*"`)

// dress gives the picture the size of a README's column, letters of those who
// lack the font that it was measured with, as wide as its own, and a title for who
// cannot see it.
func (p picture) dress(svg []byte, f *Figures) []byte {
	svg = size.ReplaceAll(svg, fmt.Appendf(nil, `<svg role="img" width="%v" height="%v"`, width.Points(), p.height.Points()))
	svg = bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans;"), []byte("font-family:'Liberation Sans',Arimo,Arial,Helvetica,sans-serif;"))
	head, rest, _ := bytes.Cut(svg, []byte(`xlink">`))
	return slices.Concat(head, fmt.Appendf(nil, "xlink\">\n<title>%s</title>\n<desc>%s</desc>", html.EscapeString(p.title), html.EscapeString(p.words(f))), rest)
}

// words are what the picture shows.
func (p picture) words(f *Figures) string {
	var all []string
	for _, q := range p.panels {
		for _, b := range q.bars {
			v, err := f.get(b.benchmark, b.unit)
			if err != nil {
				continue
			}
			all = append(all, b.label+": "+format(v*b.scale)+" "+q.axis)
		}
		for _, l := range q.lines {
			n := l.at[len(l.at)-1]
			v, err := f.get(l.at1(n), l.unit)
			if err != nil {
				continue
			}
			all = append(all, fmt.Sprintf("%s at %s %s: %s %s", l.label, format(n), q.along, format(v*l.scale), q.axis))
		}
	}
	return strings.Join(all, "; ")
}

func (l line) at1(n float64) string { return fmt.Sprintf("%s/%v", l.benchmark, n) }

func (q panel) draw(c draw.Canvas, f *Figures, l look) error {
	if q.title != "" {
		c.FillText(bold(style(medium, l.ink, draw.XLeft, draw.YTop)), vg.Point{X: c.Min.X, Y: c.Max.Y}, q.title)
		c = draw.Crop(c, 0, 0, 0, -24)
	}
	p := plot.New()
	p.BackgroundColor = l.paper
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.LineStyle.Color = l.grid
		a.Tick.LineStyle.Color = l.grid
		a.Tick.Label.Color, a.Tick.Label.Font = l.grey, style(small, l.grey, 0, 0).Font
		a.Label.TextStyle.Color, a.Label.TextStyle.Font = l.grey, style(small, l.grey, 0, 0).Font
		a.Min = 0
		a.Tick.Marker = ticks{}
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = l.grid, l.grid
	if q.bars != nil {
		grid.Horizontal.Color = nil
	} else {
		grid.Vertical.Color = nil
	}
	p.Add(grid)
	var err error
	if q.bars != nil {
		err = q.addBars(p, f, l)
	} else {
		err = q.addLines(p, f, l)
	}
	if err != nil {
		return err
	}
	p.Draw(c)
	return nil
}

func (q panel) addBars(p *plot.Plot, f *Figures, l look) error {
	rows := bars{look: l}
	var names []string
	for _, b := range q.bars {
		v, err := f.get(b.benchmark, b.unit)
		if err != nil && b.optional {
			continue
		}
		if err != nil {
			return err
		}
		r := row{value: v * b.scale, series: b.series}
		if b.whisker != "" {
			w, err := f.get(b.benchmark, b.whisker)
			if err != nil {
				return err
			}
			r.whisker = w * b.scale
		}
		rows.rows = append(rows.rows, r)
		names = append(names, b.label)
	}
	slices.Reverse(names)
	if q.bound != nil {
		v, err := f.get(q.bound.benchmark, q.bound.unit)
		if err != nil {
			return err
		}
		rows.bound, rows.boundLabel = v*q.bound.scale, q.bound.label+" "+format(v*q.bound.scale)
		for i := range rows.rows {
			rows.rows[i].note = fmt.Sprintf("%.2f ×", rows.rows[i].value/rows.bound)
		}
	}
	p.X.Label.Text = q.axis
	p.X.Max = rows.most() * 1.2
	p.NominalY(names...)
	p.Y.Tick.Label.Color, p.Y.Tick.Label.Font = l.ink, style(medium, l.ink, 0, 0).Font
	p.Y.Min, p.Y.Max = -0.6, float64(len(names))-0.4
	if q.bound != nil {
		p.Y.Max += 0.7 // for what the line is
	}
	p.Add(rows)
	return nil
}

// bars are drawn from the axis to the right, the first at the top.
type bars struct {
	look
	rows       []row
	bound      float64
	boundLabel string
}

type row struct {
	value, whisker float64
	series         int
	note           string
}

func (b bars) most() (v float64) {
	for _, r := range b.rows {
		v = max(v, r.value, r.whisker)
	}
	return v
}

func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	half := (y(1) - y(0)) * 0.32
	for i, r := range b.rows {
		at := y(float64(len(b.rows) - 1 - i))
		c.SetColor(b.series[r.series])
		c.Fill(vg.Rectangle{Min: vg.Point{X: x(0), Y: at - half}, Max: vg.Point{X: x(r.value), Y: at + half}}.Path())
		end := x(r.value)
		if r.whisker > 0 {
			end = max(end, x(r.whisker))
			s := draw.LineStyle{Color: b.ink, Width: 1.5}
			c.StrokeLine2(s, x(r.value), at, x(r.whisker), at)
			c.StrokeLine2(s, x(r.whisker), at-5, x(r.whisker), at+5)
		}
		value := format(r.value)
		if r.note != "" {
			value += "  (" + r.note + ")"
		}
		c.FillText(style(medium, b.ink, draw.XLeft, draw.YCenter), vg.Point{X: end + 7, Y: at + 2}, value)
	}
	if b.bound > 0 {
		top := y(float64(len(b.rows)) - 0.45)
		c.StrokeLine2(draw.LineStyle{Color: b.ink, Width: 1.5, Dashes: []vg.Length{5, 3}}, x(b.bound), c.Min.Y, x(b.bound), top)
		c.FillText(style(small, b.ink, draw.XCenter, draw.YBottom), vg.Point{X: x(b.bound), Y: top + 3}, b.boundLabel)
	}
}

func (q panel) addLines(p *plot.Plot, f *Figures, l look) error {
	all := lines{look: l}
	for _, s := range q.lines {
		c, missing := curve{line: s}, error(nil)
		for _, n := range s.at {
			v, err := f.get(s.at1(n), s.unit)
			if err != nil {
				missing = err // such as for want of memory
				continue
			}
			c.points = append(c.points, plotter.XY{X: n, Y: v * s.scale})
			p.X.Max, p.Y.Max = max(p.X.Max, n), max(p.Y.Max, v*s.scale*1.08)
		}
		if len(c.points) < 2 {
			return missing
		}
		all.curves = append(all.curves, c)
	}
	p.X.Label.Text, p.Y.Label.Text = q.along, q.axis
	p.X.Tick.Marker = ticks{to: p.X.Max}
	p.X.Max *= 1.6 // for the labels at the ends of the lines
	p.Add(all)
	return nil
}

// lines are named at their ends.
type lines struct {
	look
	curves []curve
}

type curve struct {
	line
	points plotter.XYs
}

func (ls lines) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	type name struct {
		at     vg.Point
		text   string
		colour color.Color
	}
	var names []name
	for _, s := range slices.Backward(ls.curves) { // ours are on top
		colour := ls.series[s.line.series]
		var points []vg.Point
		for _, xy := range s.points {
			points = append(points, vg.Point{X: x(xy.X), Y: y(xy.Y)})
		}
		c.StrokeLines(draw.LineStyle{Color: colour, Width: 2, Dashes: dashes[s.line.series]}, points)
		for _, at := range points {
			c.DrawGlyph(draw.GlyphStyle{Color: colour, Radius: 3.5, Shape: shapes[s.line.series]}, at)
		}
		end := points[len(points)-1]
		names = append(names, name{vg.Point{X: end.X + 8, Y: end.Y}, s.label + ", " + format(s.points[len(points)-1].Y), colour})
	}
	slices.SortFunc(names, func(a, b name) int { return int(math.Copysign(1, float64(a.at.Y-b.at.Y))) })
	for i := range names {
		low := c.Min.Y + 7
		if i > 0 {
			low = names[i-1].at.Y + 16
		}
		names[i].at.Y = max(names[i].at.Y, low)
	}
	for _, n := range names {
		c.FillText(bold(style(small, n.colour, draw.XLeft, draw.YCenter)), vg.Point{X: n.at.X, Y: n.at.Y + 2}, n.text)
	}
}

// ticks are few, at round numbers, and with commas in what is large.
type ticks struct{ to float64 }

func (t ticks) Ticks(lo, hi float64) (all []plot.Tick) {
	if t.to > 0 {
		hi = t.to
	}
	step := math.Pow(10, math.Floor(math.Log10(hi)))
	for hi/step < 3 {
		step /= 2
	}
	if step >= 1 && step != math.Floor(step) {
		step = math.Floor(step)
	}
	for v := 0.0; v <= hi*1.0001; v += step {
		all = append(all, plot.Tick{Value: v, Label: format(v)})
	}
	return all
}

// format writes a number for a person: three digits, and commas.
func format(v float64) string {
	s := fmt.Sprintf("%.3g", v)
	if v >= 1000 {
		s = fmt.Sprintf("%.0f", v)
		for i := len(s) - 3; i > 0; i -= 3 {
			s = s[:i] + "," + s[i:]
		}
	}
	return s
}
