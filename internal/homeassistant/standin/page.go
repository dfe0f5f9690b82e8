package standin

import (
	"encoding/json"
	"html/template"
	"net/http"
)

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the reader hung up: then there is nobody to tell
}

type object map[string]any

func (h *HomeAssistant) manifest(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/manifest+json")
	_ = json.NewEncoder(w).Encode(object{
		"name":             "Home Assistant",
		"short_name":       "Home Assistant",
		"description":      "A stand-in that answers like Home Assistant.",
		"start_url":        "/?homescreen=1",
		"display":          "standalone",
		"background_color": "#FFFFFF",
		"theme_color":      "#03A9F4",
		"lang":             "en-US",
		"dir":              "ltr",
	})
}

var page = template.Must(template.New("page").Parse(`<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Home Assistant</title></head>
<body><h1>{{.Name}}</h1><p>This is a stand-in for Home Assistant {{.Version}}.</p></body>
</html>
`))

func (h *HomeAssistant) frontPage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, h.options.Load())
}

func (h *HomeAssistant) running(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, object{"message": "API running."})
}
