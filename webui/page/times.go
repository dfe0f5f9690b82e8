package page

import (
	"html/template"
	"time"
)

// When is how long ago something was.
func (v *view) When(t time.Time) template.HTML { return v.moment(t, v.Ago(t, v.Now)) }

// briefly is When without the full date for whoever points at it: in a list of a hundred that is half of the work.
func (v *view) briefly(t time.Time) template.HTML {
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `">` + template.HTMLEscapeString(v.Ago(t, v.Now)) + "</time>")
}

// Day is a date.
func (v *view) Day(t time.Time) template.HTML { return v.moment(t, v.Date(t)) }

// Clock is a time of day.
func (v *view) Clock(t time.Time) template.HTML { return v.moment(t, v.Time(t)) }

// Moment is a date and a time of day.
func (v *view) Moment(t time.Time) template.HTML { return v.moment(t, v.DateTime(t)) }

func (v *view) moment(t time.Time, text string) template.HTML {
	if t.IsZero() {
		return template.HTML(template.HTMLEscapeString(text))
	}
	return template.HTML(`<time datetime="` + t.UTC().Format(time.RFC3339) + `" title="` +
		template.HTMLEscapeString(v.DateTime(t)) + `">` + template.HTMLEscapeString(text) + "</time>")
}
