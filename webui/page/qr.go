package page

import (
	"html/template"
	"strconv"
	"strings"
)

// QR draws a code as one path of horizontal runs, dark on white whatever the theme: scanners do not read a light code on
// a dark ground. It has attributes only, because the page's policy forbids inline style. The label is for those who
// cannot see it.
func (v *view) QR(modules [][]bool, label string) template.HTML {
	size := strconv.Itoa(len(modules))
	var b strings.Builder
	b.Grow(16 << 10)
	b.WriteString(`<svg class="qr" role="img" aria-label="` + template.HTMLEscapeString(label) + `" viewBox="0 0 ` + size + ` ` + size +
		`" shape-rendering="crispEdges"><rect width="` + size + `" height="` + size + `" fill="#fff"/><path fill="#000" d="`)
	for y, row := range modules {
		writeRuns(&b, y, row)
	}
	b.WriteString(`"/></svg>`)
	return template.HTML(b.String())
}

// writeRuns writes a row's dark runs, each as a rectangle one module high.
func writeRuns(b *strings.Builder, y int, row []bool) {
	for x := 0; x < len(row); x++ {
		if !row[x] {
			continue
		}
		from := x
		for x < len(row) && row[x] {
			x++
		}
		n := strconv.Itoa(x - from)
		b.WriteString("M" + strconv.Itoa(from) + " " + strconv.Itoa(y) + "h" + n + "v1h-" + n + "z")
	}
}
