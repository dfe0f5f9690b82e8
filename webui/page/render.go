package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"

	"github.com/hearthgate/hearthgate/webui/words"
)

//go:embed templates/*.html
var templateFiles embed.FS

// Renderer renders models. Make it with New; its methods may be called from any goroutine.
type Renderer struct {
	templates *template.Template
}

// New parses the templates.
func New() (*Renderer, error) {
	functions := template.FuncMap{"icon": icon, "asset": assetURL}
	templates, err := template.New("").Funcs(functions).ParseFS(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("parsing the page's templates: %w", err)
	}
	return &Renderer{templates: templates}, nil
}

// Render writes one whole page, or nothing and gives an error: half a page with status 200 would be neither.
func (r *Renderer) Render(w io.Writer, f Frame, m Model) error {
	var b bytes.Buffer
	v := view{Frame: f, M: m, Catalogue: words.For(f.Language)}
	if err := r.templates.ExecuteTemplate(&b, m.name(), &v); err != nil {
		return fmt.Errorf("rendering the page %s: %w", m.name(), err)
	}
	_, err := w.Write(b.Bytes())
	return err
}
