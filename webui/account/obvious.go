package account

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// fewLetters: with fewer besides what everybody tries first, a passphrase is what everybody tries first.
	fewLetters = 6
	// fewKinds: with fewer different characters, it is the same few over and over.
	fewKinds = 5
	// longRun: so many neighbours on the keyboard are no accident.
	longRun = 4
)

// obvious says what makes a passphrase one of the first that anybody would try. It gets it in lower case without spaces.
// It is no measure of strength: a list of the obvious, against people who mean well.
func obvious(s string) Reason {
	if repeats(s) {
		return GuessableRepeated
	}
	without, hadName := strip(s, productNames)
	without, hadCommon := strip(without, commonWords)
	switch {
	case hadName && letters(without) < fewLetters:
		return GuessableName
	case hadCommon && letters(without) < fewLetters:
		return GuessableCommon
	}
	if rest, had := stripRuns(without); had && letters(rest) < fewLetters && utf8.RuneCountInString(rest) < MinPassphrase {
		return GuessableSequence
	}
	return ""
}

// repeats finds few characters, and one piece over and over.
func repeats(s string) bool {
	all := []rune(s)
	kinds := slices.Clone(all)
	slices.Sort(kinds)
	if len(slices.Compact(kinds)) < fewKinds {
		return true
	}
	for period := 1; period < MinPassphrase && period <= len(all)/2; period++ {
		if slices.Equal(all[period:], all[:len(all)-period]) {
			return true
		}
	}
	return false
}

func strip(s string, words []string) (rest string, had bool) {
	for _, w := range words {
		if strings.Contains(s, w) {
			s, had = strings.ReplaceAll(s, w, ""), true
		}
	}
	return s, had
}

// stripRuns takes out stretches of the alphabet, of the digits and of keyboards' rows, in both directions.
func stripRuns(s string) (rest string, had bool) {
	all := []rune(s)
	var left []rune
	for len(all) > 0 {
		n := 1
		for n < len(all) && slices.ContainsFunc(rows, func(row string) bool { return strings.Contains(row, string(all[:n+1])) }) {
			n++
		}
		if n >= longRun {
			had = true
		} else {
			left = append(left, all[:n]...)
		}
		all = all[n:]
	}
	return string(left), had
}

func letters(s string) (n int) {
	for _, r := range s {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// The longer ones first, so that none leaves a piece of another.
var (
	productNames = []string{
		"homeassistant", "raspberrypi", "hearthgate", "wireguard", "assistant", "raspberry", "hassio", "hearth", "hass",
	}
	commonWords = []string{
		"administrator", "contraseña", "contrasena", "motdepasse", "passphrase", "wachtwoord", "willkommen", "bienvenido",
		"smarthome", "bienvenue", "password", "passw0rd", "passwort", "internet", "iloveyou", "changeme", "football",
		"default", "letmein", "welcome", "zuhause", "welkom", "router", "secret", "geheim", "dragon", "monkey",
		"admin", "login", "guest", "abc123", "haus", "home", "huis", "casa", "wifi", "wlan", "pass", "mein", "test", "user",
	}
	rows = []string{
		"01234567890", "09876543210", "abcdefghijklmnopqrstuvwxyz", "zyxwvutsrqponmlkjihgfedcba",
		"qwertyuiop", "poiuytrewq", "asdfghjkl", "lkjhgfdsa", "zxcvbnm", "mnbvcxz",
		"qwertzuiopü", "üpoiuztrewq", "asdfghjklöä", "yxcvbnm", "mnbvcxy", "azertyuiop", "poiuytreza", "qsdfghjklm", "wxcvbn",
	}
)
