package metrics

import (
	"io"
	"strconv"
	"strings"
	"time"
)

// ContentType is the media type of what Write writes.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Write writes the snapshot.
func Write(w io.Writer, s Snapshot) error {
	var out strings.Builder
	for _, f := range s.families() {
		f.write(&out)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// family is all series of one name.
type family struct {
	name, help string
	kind       string // counter or gauge
	samples    []sample
}

type sample struct {
	labels labels
	value  float64
}

// labels are names and values in turn.
type labels []string

// write writes nothing for a family without series: its head alone would promise something.
func (f family) write(out *strings.Builder) {
	if len(f.samples) == 0 {
		return
	}
	out.WriteString("# HELP " + f.name + " " + helpEscapes.Replace(f.help) + "\n")
	out.WriteString("# TYPE " + f.name + " " + f.kind + "\n")
	for _, s := range f.samples {
		out.WriteString(f.name)
		s.labels.write(out)
		out.WriteByte(' ')
		out.WriteString(strconv.FormatFloat(s.value, 'f', -1, 64))
		out.WriteByte('\n')
	}
}

// The escapes of the text format. Anything else may stand in a value as it is, so long as it is UTF-8.
var (
	helpEscapes  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

func (l labels) write(out *strings.Builder) {
	if len(l) == 0 {
		return
	}
	before := "{"
	for i := 0; i < len(l); i += 2 {
		out.WriteString(before + l[i] + `="` + labelEscapes.Replace(strings.ToValidUTF8(l[i+1], "\uFFFD")) + `"`)
		before = ","
	}
	out.WriteByte('}')
}

// unix is a time as metrics have it: seconds since 1970, and 0 for never, which for Go is the year 1.
func unix(t time.Time) float64 { return float64(max(t.Unix(), 0)) }
