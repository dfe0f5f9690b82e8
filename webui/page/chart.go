package page

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
)

// The chart's own units; the style sheet stretches it to the column.
const chartHeight, barStep, barWidth = 100, 10, 7

// Chart draws one bar for each day, and the same as a table for those who cannot see it.
func (v *view) Chart(days []Day) template.HTML {
	if len(days) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString(`<svg class="chart" aria-hidden="true" focusable="false" preserveAspectRatio="none" viewBox="0 0 ` +
		strconv.Itoa(len(days)*barStep) + ` ` + strconv.Itoa(chartHeight) + `">`)
	most := busiest(days).total()
	for i, d := range days {
		height := 1
		if most > 0 && d.total() > 0 {
			height = max(3, int(float64(d.total())/float64(most)*chartHeight))
		}
		class := ""
		if d.total() == 0 {
			class = ` class="none"`
		}
		b.WriteString(`<rect` + class + ` x="` + strconv.Itoa(i*barStep+1) + `" y="` + strconv.Itoa(chartHeight-height) +
			`" width="` + strconv.Itoa(barWidth) + `" height="` + strconv.Itoa(height) + `"/>`)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

func (d Day) total() int64 { return d.Received + d.Sent }

func busiest(days []Day) Day {
	var most Day
	for _, d := range days {
		if d.total() > most.total() {
			most = d
		}
	}
	return most
}

// AnyData tells whether there is anything to draw.
func (v *view) AnyData(days []Day) bool { return busiest(days).total() > 0 }

// Today is the last day's data.
func (v *view) Today(days []Day) string {
	if len(days) == 0 {
		return v.Bytes(0)
	}
	return v.Bytes(days[len(days)-1].total())
}

// Sum is the data of all days.
func (v *view) Sum(days []Day) string {
	var n int64
	for _, d := range days {
		n += d.total()
	}
	return v.Bytes(n)
}

// DayRows are the rows of the chart's table, the latest first.
func (v *view) DayRows(days []Day) template.HTML {
	var b strings.Builder
	for _, d := range slices.Backward(days) {
		b.WriteString(`<tr><th scope="row">` + template.HTMLEscapeString(v.Date(d.Date)) + "</th><td>" +
			template.HTMLEscapeString(v.Bytes(d.Received)) + "</td><td>" + template.HTMLEscapeString(v.Bytes(d.Sent)) + "</td></tr>")
	}
	return template.HTML(b.String())
}
