package words

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Catalogue has the sentences of one language. It does not change and serves any number of pages at once.
type Catalogue struct {
	language  Language
	habits    habits
	sentences map[string]string
	english   map[string]string
	zone      *time.Location
}

// For gives the catalogue of a language, with times in the machine's zone; English for a language that there is not.
func For(l Language) *Catalogue {
	if _, ok := habitsOf[l]; !ok {
		l = English
	}
	all := shelf()
	return &Catalogue{language: l, habits: habitsOf[l], sentences: all[l], english: all[English], zone: time.Local}
}

// In gives the same catalogue with times in another zone.
func (c *Catalogue) In(zone *time.Location) *Catalogue {
	other := *c
	other.zone = zone
	return &other
}

// Language says whose sentences these are, for <html lang>.
func (c *Catalogue) Language() Language { return c.language }

// Keys lists the keys of all English sentences, in order. The other languages have the same.
func Keys() []string {
	return slices.Sorted(maps.Keys(shelf()[English]))
}

// T is the sentence under a key. Args are pairs of a name and a value: T("phone.added", "name", "Anna") fills in {name}.
// Values are written as fmt.Sprint does, so a port stays 8123; what needs the language's form (an amount, a time) is
// passed as the text that Number, Bytes or Ago made. A sentence that is missing is the English one, or else its key.
func (c *Catalogue) T(key string, args ...any) string {
	sentence, ok := c.sentences[key]
	if !ok {
		sentence, ok = c.english[key]
	}
	if !ok {
		return key
	}
	return fill(sentence, args)
}

// N is the sentence for a number of things: key+".one" or key+".other", with {n} written as the language writes it.
func (c *Catalogue) N(key string, n int, args ...any) string {
	form := ".other"
	if n == 1 || n == 0 && c.habits.zeroOne {
		form = ".one"
	}
	return c.T(key+form, append(slices.Clip(args), "n", c.Number(int64(n)))...)
}

// fill replaces every {name} at once, so that a value with braces in it (a phone may be called "{n}") stays what it is.
// A pair that is not one is left out; a placeholder without a value stays visible.
func fill(sentence string, args []any) string {
	if len(args) < 2 || !strings.Contains(sentence, "{") {
		return sentence
	}
	var pairs []string
	for pair := range slices.Chunk(args, 2) {
		if name, ok := pair[0].(string); ok && len(pair) == 2 {
			pairs = append(pairs, "{"+name+"}", fmt.Sprint(pair[1]))
		}
	}
	return strings.NewReplacer(pairs...).Replace(sentence)
}
