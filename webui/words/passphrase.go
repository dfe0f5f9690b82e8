package words

import (
	"crypto/rand"
	"embed"
	"math/big"
	"slices"
	"strings"
)

//go:embed lists/*.txt
var lists embed.FS

// phraseWords of a list of 1,024 each make 40 bits. That is enough here, because there are only two ways to guess.
//
// At the page: sign-in hashes one passphrase at a time and, after 20 failures in a row, holds strangers to one try a
// minute. Half of 2^40 tries take a million years.
//
// With the stolen card: argon2id (m=19 MiB, t=2) took 59 ms on the machine where it was measured, so half of 2^40 tries
// are a thousand years of such a core, for a household. And whoever holds the card does not need the passphrase: the
// tunnel's own key lies beside it, which is why a stolen card is answered by a new server key and not by strength here.
//
// A fifth word would help in neither case, and somebody has to type it on a phone.
const phraseWords = 4

// A space stands between the words, not a hyphen: it is on the first layer of every phone's keyboard, where three
// hyphens are six changes of layer into a field one may not see; it needs no word when the passphrase is read out to
// somebody across the room; and it is how everybody writes four words on paper without being told.
const between = " "

// Passphrase makes four words of the language's list, every one as likely as any other: "canyon otter violin basket". It
// is at least 15 and at most 35 characters long, lower-case ASCII and spaces. English words for a language that there is
// not. The four are different, which costs a hundredth of a bit: twice the same pair would be refused as a repetition.
func Passphrase(l Language) string {
	list := listOf(l)
	var chosen []string
	for len(chosen) < phraseWords {
		if word := list[pick(len(list))]; !slices.Contains(chosen, word) {
			chosen = append(chosen, word)
		}
	}
	return strings.Join(chosen, between)
}

// pick has no error: crypto/rand.Reader has none either since Go 1.24, it ends the program instead.
func pick(n int) int {
	i, _ := rand.Int(rand.Reader, big.NewInt(int64(n)))
	return int(i.Int64())
}

// listOf reads a list anew every time: it is wanted once in the life of a household.
func listOf(l Language) []string {
	text, err := lists.ReadFile("lists/" + string(l) + ".txt")
	if err != nil {
		text, _ = lists.ReadFile("lists/" + string(English) + ".txt")
	}
	return strings.Fields(string(text))
}
