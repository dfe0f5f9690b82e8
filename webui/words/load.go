package words

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"sync"
)

//go:embed *.json
var files embed.FS

// shelf is the table of all sentences. It is read once, when the first page wants it. What cannot be read is left out:
// the files are part of the program, so a test has seen to it that there is no such thing.
var shelf = sync.OnceValue(func() map[Language]map[string]string {
	all := make(map[Language]map[string]string)
	for _, l := range Languages() {
		all[l], _ = readFile(files, string(l)+".json")
	}
	return all
})

// readFile reads by tokens, because json.Unmarshal takes the last of two equal keys in silence.
func readFile(from fs.FS, name string) (map[string]string, error) {
	out := make(map[string]string)
	data, err := fs.ReadFile(from, name)
	if err != nil {
		return out, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return out, fmt.Errorf("reading %s: it is no JSON object: %w", name, err)
	}
	for d.More() {
		var value string
		key, err := d.Token()
		if err == nil {
			err = d.Decode(&value)
		}
		if err != nil {
			return out, fmt.Errorf("reading %s after %d sentences: %w", name, len(out), err)
		}
		k, _ := key.(string) // a key of a JSON object is never anything else
		if _, twice := out[k]; twice {
			return out, fmt.Errorf("reading %s: key %q stands there twice", name, k)
		}
		out[k] = value
	}
	if _, err := d.Token(); err != nil {
		return out, fmt.Errorf("reading %s: it ends too early: %w", name, err)
	}
	return out, nil
}
