package words

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"sync"
)

//go:embed *.json
var files embed.FS

// shelf is the table of all sentences. It is read once, when the first page wants it. What cannot be read is left out:
// the files are part of the program, so a test has seen to it that there is no such thing.
var shelf = sync.OnceValue(func() map[Language]map[string]string {
	all := make(map[Language]map[string]string)
	for _, l := range Languages() {
		all[l], _ = read(files, l)
	}
	return all
})

// read gives the sentences of one language, those that could be read even when there is an error. A language may lack
// the pages' file as long as nobody has translated it.
func read(from fs.FS, l Language) (map[string]string, error) {
	sentences, err := readFile(from, "own_"+string(l)+".json")
	if err != nil {
		return sentences, err
	}
	pages, err := readFile(from, string(l)+".json")
	if errors.Is(err, fs.ErrNotExist) {
		return sentences, nil
	}
	for key := range pages {
		if _, twice := sentences[key]; twice {
			err = errors.Join(err, fmt.Errorf("reading %s.json: key %q stands in own_%s.json too", l, key, l))
		}
	}
	maps.Copy(sentences, pages)
	return sentences, err
}

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
