package publicaddr

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func bytesOf(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The sample answers of RFC 5769, sections 2.2 and 2.3, without their integrity and fingerprint attributes.
const (
	sampleID   = "b7e7a701bc34d686fa87dfae"
	sampleHead = "0101 000c 2112a442 " + sampleID
	sample4    = sampleHead + "0020 0008 0001 a147 e112a643"
	sample6    = "0101 0018 2112a442 " + sampleID + "0020 0014 0002 a147 0113a9faa5d3f179bc25f4b5bed2b9d9"
)

func TestMapped(t *testing.T) {
	t.Parallel()
	id := stunID(bytesOf(t, sampleID))
	for _, test := range []struct {
		name, packet, want string
		err                error
	}{
		{"RFC 5769, IPv4", sample4, "192.0.2.1:32853", nil},
		{"RFC 5769, IPv6", sample6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853", nil},
		{"the number of the draft", strings.Replace(sample4, "0020 0008", "8020 0008", 1), "192.0.2.1:32853", nil},
		{"an old server", sampleHead + "0001 0008 0001 8055 c0000201", "192.0.2.1:32853", nil},
		{"the XORed one wins", "0101 0018 2112a442" + sampleID + "0001 0008 0001 0001 0a000001 0020 0008 0001 a147 e112a643", "192.0.2.1:32853", nil},
		{"after a padded attribute", "0101 0014 2112a442" + sampleID + "8022 0003 41424300 0020 0008 0001 a147 e112a643", "192.0.2.1:32853", nil},
		{"another transaction", strings.Replace(sample4, "b7e7", "b7e8", 1), "", errNotOurs},
		{"another cookie", strings.Replace(sample4, "2112a442", "2112a443", 1), "", errNotOurs},
		{"an error answer", strings.Replace(sample4, "0101", "0111", 1), "", errNotOurs},
		{"a request", strings.Replace(sample4, "0101", "0001", 1), "", errNotOurs},
		{"cut", sample4[:len(sample4)-2], "", errNotOurs},
		{"longer than it says", sample4 + "00", "", errNotOurs},
		{"an attribute beyond the end", sampleHead + "0020 0018 0001 a147 e112a643", "", errNotOurs},
		{"no attributes", "0101 0000 2112a442" + sampleID, "", errNoAddress},
		{"a family that does not fit", strings.Replace(sample4, "0001 a147", "0002 a147", 1), "", errNoAddress},
		{"empty", "", "", errNotOurs},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := id.mapped(bytesOf(t, test.packet))
			if !errors.Is(err, test.err) || err == nil && got.String() != test.want {
				t.Errorf("read %s, %v; want %s, %v", got, err, test.want, test.err)
			}
		})
	}
}

// Whatever is read as an answer has our transaction in it and a whole address, and what a server would write is read back.
func FuzzMapped(f *testing.F) {
	f.Add(bytesOf(f, sample4))
	f.Add(bytesOf(f, sample6))
	f.Add(bytesOf(f, sampleHead))
	f.Fuzz(func(t *testing.T, b []byte) {
		var id stunID
		if len(b) >= stunHeader {
			copy(id[:], b[8:])
		}
		at, err := id.mapped(b)
		if err != nil {
			return
		}
		if !at.IsValid() || at.Addr().Is4In6() {
			t.Fatalf("read %s", at)
		}
		again, err := id.mapped(answerTo(id.question(), at))
		if err != nil || again != at {
			t.Errorf("%s came back as %s, %v", at, again, err)
		}
	})
}

// answerTo is what a server answers to a question; nil: nothing, for it is none.
func answerTo(question []byte, at netip.AddrPort) []byte {
	if len(question) != stunHeader || string(question[:8]) != string((stunID{}).question()[:8]) {
		return nil
	}
	raw, family := at.Addr().AsSlice(), byte(1)
	if len(raw) == 16 {
		family = 2
	}
	b := append([]byte{1, 1, 0, byte(8 + len(raw))}, question[4:]...)
	b = append(b, 0, 0x20, 0, byte(4+len(raw)), 0, family, byte(at.Port()>>8)^0x21, byte(at.Port())^0x12)
	for i, v := range raw {
		b = append(b, v^question[4+i])
	}
	return b
}
