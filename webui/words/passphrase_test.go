package words

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

const listLength = 1024 // 10 bits a word

var wordForm = regexp.MustCompile(`^[a-z]{3,8}$`)

func eachList(t *testing.T, look func(t *testing.T, list []string)) {
	for _, l := range Languages() {
		t.Run(string(l), func(t *testing.T) { look(t, listOf(l)) })
	}
}

func TestListsAreWhole(t *testing.T) {
	var all []string
	eachList(t, func(t *testing.T, list []string) {
		all = append(all, list[0]+list[1])
		if len(list) != listLength {
			t.Errorf("the list has %d words, not %d", len(list), listLength)
		}
		for i, w := range list {
			if !wordForm.MatchString(w) {
				t.Errorf("%q is not of 3 to 8 letters from a to z", w)
			}
			if i > 0 && list[i-1] >= w {
				t.Errorf("%q stands after %q; a list is sorted and has no word twice", w, list[i-1])
			}
		}
	})
	if slices.Sort(all); len(slices.Compact(all)) != len(Languages()) {
		t.Error("two languages share a list")
	}
}

// In a sorted list a word and what begins with it are neighbours, or others that begin with it stand between them.
func TestNoWordIsTheBeginningOfAnother(t *testing.T) {
	eachList(t, func(t *testing.T, list []string) {
		for i, w := range list[1:] {
			if strings.HasPrefix(w, list[i]) {
				t.Errorf("%q begins with %q", w, list[i])
			}
		}
	})
}

// One slip of the finger, or one letter misheard or misread, must not make another word of the list.
func TestNoWordIsOneSlipFromAnother(t *testing.T) {
	eachList(t, func(t *testing.T, list []string) {
		for i, w := range list {
			for _, other := range list[:i] {
				if oneSlip(w, other) {
					t.Errorf("%q and %q are one slip apart", other, w)
				}
			}
		}
	})
}

// oneSlip says whether one letter more, less or other, or two neighbours swapped, makes one word of the other.
func oneSlip(a, b string) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	swapped := len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
	return len(a) <= 1 && len(b) <= 1 || swapped
}

func TestOneSlip(t *testing.T) {
	for pair, want := range map[[2]string]bool{
		{"cat", "bat"}:      true,
		{"cat", "cast"}:     true,
		{"table", "tables"}: true,
		{"angel", "angle"}:  true,
		{"metro", "meter"}:  false,
		{"otter", "lamp"}:   false,
	} {
		if oneSlip(pair[0], pair[1]) != want || oneSlip(pair[1], pair[0]) != want {
			t.Errorf("oneSlip of %v is not %t", pair, want)
		}
	}
}

func TestPassphrase(t *testing.T) {
	for _, l := range append(Languages(), "sv", "../doc") {
		list := listOf(l)
		parts := strings.Split(Passphrase(l), between)
		if different := slices.Compact(slices.Sorted(slices.Values(parts))); len(different) != phraseWords {
			t.Errorf("%s: %q has %d different words", l, parts, len(different))
		}
		for _, w := range parts {
			if !slices.Contains(list, w) {
				t.Errorf("%s: %q is not on the list", l, w)
			}
		}
	}
}

// In 4,000 passphrases of four words each of the 1,024 comes up about 16 times; that one stays away altogether has a
// chance below 1 in 5,000, so a few are let off, and a word that comes up 60 times has one below 1 in 10^14.
func TestEveryWordIsUsed(t *testing.T) {
	count := make(map[int]int)
	for range 16_000 {
		count[pick(listLength)]++
	}
	if len(count) < listLength-4 {
		t.Errorf("only %d of %d words came up", len(count), listLength)
	}
	for i, n := range count {
		if i < 0 || i >= listLength || n > 60 {
			t.Errorf("word %d came up %d times", i, n)
		}
	}
}
