package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"path"
	"strings"
	"sync"
)

//go:embed assets/style.css assets/script.js assets/phonecheck.js assets/logo.svg
var assetFiles embed.FS

// shelf holds the assets under the names that pages use, and those names under the plain ones.
type shelf struct {
	byName map[string]asset
	names  map[string]string
}

type asset struct {
	content   []byte
	mediaType string
}

// assets is read once, when the first page wants it.
var assets = sync.OnceValue(func() shelf {
	s := shelf{byName: make(map[string]asset), names: make(map[string]string)}
	entries, _ := assetFiles.ReadDir("assets") // embedded: it cannot fail
	for _, e := range entries {
		content, _ := assetFiles.ReadFile("assets/" + e.Name())
		sum := sha256.Sum256(content)
		ext := path.Ext(e.Name())
		name := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext
		s.byName[name] = asset{content, mediaType(ext)}
		s.names[e.Name()] = name
	}
	return s
})

// mediaType does not ask the machine's own table first, which on a small image is missing or odd.
func mediaType(ext string) string {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(ext)
}

// Asset gives a file that pages refer to, by the name that they use (which has a hash of the content in it), and its
// media type. Under such a name there is never anything else, so it may be kept for ever.
func Asset(name string) (content []byte, mediaType string, ok bool) {
	a, ok := assets().byName[name]
	return a.content, a.mediaType, ok
}

// assetURL is where a page finds a file.
func assetURL(name string) string { return "/assets/" + assets().names[name] }
