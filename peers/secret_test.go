package peers

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/internal/key"
)

func newPrivate() (key.Secret, error) { return key.NewPrivate() }

// file gives all that is in the state directory.
func (h *house) file() string {
	h.t.Helper()
	var all strings.Builder
	entries, err := os.ReadDir(h.dir)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, entry := range entries {
		b, err := os.ReadFile(filepath.Join(h.dir, entry.Name()))
		if err != nil {
			h.t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

// spellings gives a key as it could stand in a file.
func spellings(t *testing.T, s key.Secret) map[string]string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(s.Reveal())
	if err != nil || len(raw) != 32 {
		t.Fatalf("a key of %d bytes: %v", len(raw), err)
	}
	numbers := make([]string, len(raw))
	for i, b := range raw {
		numbers[i] = strconv.Itoa(int(b))
	}
	return map[string]string{
		"base64":     base64.StdEncoding.EncodeToString(raw)[:42],
		"base64 URL": base64.RawURLEncoding.EncodeToString(raw)[:42],
		"hex":        hex.EncodeToString(raw),
		"HEX":        strings.ToUpper(hex.EncodeToString(raw)),
		"raw":        string(raw),
		"Go's array": strings.Join(numbers, " "),
		"JSON array": strings.Join(numbers, ","),
	}
}

// TestPhonesPrivateKeyIsNowhere looks for it in the state directory, the log, the
// journal and everything that prints or encodes the answers.
func TestPhonesPrivateKeyIsNowhere(t *testing.T) {
	inHouse(t, func(h *house) {
		added := h.add("Anna")
		id := added.Peer.ID
		kept := h.rekey(id, false)
		h.seen(id, kept.Peer.Pair.PublicKey)
		cut := h.rekey(id, true)
		h.restart()

		var seen strings.Builder
		seen.WriteString(h.file() + h.logs.String())
		events := must(h.journal.Recent(0))
		for _, v := range []any{added, kept, cut, must(h.List()), must(h.Allowed()), must(h.Server()), events} {
			fmt.Fprintf(&seen, "%v %+v %#v %s %x %d %q", v, v, v, v, v, v, v)
			seen.Write(must(json.Marshal(v)))
		}
		for name, e := range map[string]Enrolment{"add": added, "rekey": kept, "rekey --now": cut} {
			for how, spelt := range spellings(t, e.PrivateKey) {
				if strings.Contains(seen.String(), spelt) {
					t.Errorf("the phone's private key of %s is there as %s", name, how)
				}
			}
		}
		// The search finds what is there: preshared keys are in the store, and in
		// nothing else.
		psk := spellings(t, cut.Peer.Pair.PresharedKey)["base64"]
		if n := strings.Count(h.file(), psk); n == 0 || strings.Count(seen.String(), psk) != n {
			t.Errorf("the preshared key is in the store %d times and %d times in all", n, strings.Count(seen.String(), psk))
		}
	})
}
