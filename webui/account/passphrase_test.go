package account

import (
	"strings"
	"testing"
)

func TestCheckPassphrase(t *testing.T) {
	for typed, want := range map[string]Reason{
		passphrase:                        "",
		suggested:                         "",
		"  amber  kettle window moss ":    "",
		"Gänseblümchen am Bahndamm":       "",
		"hearth of a quiet fishing boat":  "",
		"my home is a houseboat in Ghent": "",
		"正しい馬と電池とホッチキス":                   "",
		"xK3#vQ9!mZ7@":                    "",
		"8301957264918":                   "",
		strings.Repeat("abcdefg hij ", 10)[:119] + "unrelated": "",

		"":                              TooShort,
		"elevenchars":                   TooShort,
		"            ":                  TooShort,
		"a           b":                 TooShort,
		strings.Repeat("amber ", 30):    TooLong,
		strings.Repeat("x", 1<<20):      TooLong,
		"amber kettle\x00 window":       NotText,
		"amber\nkettle window":          NotText,
		"amber kettle \xff window":      NotText,
		"hearthgate123":                 GuessableName,
		"Home Assistant":                GuessableName,
		"homeassistant2026!":            GuessableName,
		"WireGuard WireGuard":           GuessableRepeated,
		"raspberrypi4":                  GuessableName,
		"Password12345":                 GuessableCommon,
		"mein Passwort!":                GuessableCommon,
		"motdepasse2026":                GuessableCommon,
		"aaaaaaaaaaaa":                  GuessableRepeated,
		"abababababab":                  GuessableRepeated,
		"moss moss moss moss":           GuessableRepeated,
		"123456789012":                  GuessableSequence,
		"abcdefghijkl":                  GuessableSequence,
		"qwertyuiop123":                 GuessableSequence,
		"qwertz12345678":                GuessableSequence,
		"987654321abcd":                 GuessableSequence,
		"Ga\u0308nse" + "\u0301short":   TooShort, // as typed longer than 12 bytes
		"amber kettle window\u2028moss": NotText,
	} {
		if got := weakness(typed); got != want {
			t.Errorf("%.40q: %q, want %q", typed, got, want)
		}
	}
}

func TestPassphraseAsOtherKeyboardsSendIt(t *testing.T) {
	phc := hashPassphrase("Gänseblümchen am Bahndamm")
	for typed, want := range map[string]bool{
		"Ga\u0308nseblu\u0308mchen am Bahndamm": true, // macOS
		"Gänseblümchen am Bahndamm ":            true, // a phone that completes words
		"Gänseblümchen  am\u00a0Bahndamm":       true,
		"gänseblümchen am bahndamm":             false,
		"GänseblümchenamBahndamm":               false,
		"":                                      false,
		strings.Repeat("x", 1<<20):              false,
	} {
		if got, err := isPassphrase(phc, typed); got != want || err != nil {
			t.Errorf("%.40q: %v, %v", typed, got, err)
		}
	}
}

func TestHashAsOthersReadIt(t *testing.T) {
	phc := hashPassphrase(passphrase)
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %s", phc)
	}
	if phc == hashPassphrase(passphrase) {
		t.Error("two hashes have one salt")
	}
	for _, bad := range []string{
		"", "$argon2id$v=19$m=19456,t=2,p=1$", "$argon2i$v=19$m=64,t=2,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=64,t=0,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=64,t=2,p=0$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
		"$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$", "$argon2id$v=19$m=64,t=2,p=1$!$aGFzaGhhc2hoYXNoaGFzaA",
	} {
		if ok, err := isPassphrase(bad, passphrase); ok || err == nil {
			t.Errorf("%q: %v, %v", bad, ok, err)
		}
	}
}

func FuzzPassphrase(f *testing.F) {
	f.Add(passphrase)
	f.Add("hearthgate hearthgate")
	f.Add("\xff\x00ééé")
	f.Fuzz(func(t *testing.T, typed string) {
		reason := weakness(typed)
		clean := cleanPassphrase(typed)
		if again := cleanPassphrase(clean); again != clean {
			t.Errorf("%q becomes %q and then %q", typed, clean, again)
		}
		if reason == "" && weakness(clean) != "" {
			t.Errorf("%q is taken and what is kept of it is %s", typed, weakness(clean))
		}
	})
}
