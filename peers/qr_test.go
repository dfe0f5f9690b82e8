package peers

import (
	"errors"
	"image"
	"image/color"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	zxing "github.com/makiuchi-d/gozxing/qrcode"
)

func TestTerminalQRDecodesToTheConfig(t *testing.T) {
	e, server := testEnrolment(t)
	e.Peer.Pair.Admin = true // the longest that a config can be
	for _, endpoint := range []string{
		"192.0.2.7:51820",
		"[2001:db8:1234:5678:9abc:def0:1234:5678]:51820",
		"my-household-name.duckdns.org:51820",
		"home.a-rather-long-domain-name.example.org:51820",
	} {
		c, err := e.Config(server, endpoint)
		if err != nil {
			t.Fatal(err)
		}
		text := c.Text()
		drawn, err := TerminalQR(text)
		if err != nil {
			t.Fatal(err)
		}
		modules := readTerminal(t, drawn)
		if width := len(modules[0]); width > 80 {
			t.Errorf("%s: the code is %d columns wide; a terminal has 80", endpoint, width)
		}
		result, err := decode(t, modules)
		if err != nil {
			t.Fatalf("%s: %v", endpoint, err)
		}
		if result.GetText() != text {
			t.Errorf("the code reads\n%s\nthe config is\n%s", result.GetText(), text)
		}
		if level := result.GetResultMetadata()[gozxing.ResultMetadataType_ERROR_CORRECTION_LEVEL]; level != "L" {
			t.Errorf("error correction level is %v, want L", level)
		}
		if version := (len(modules[0]) - 8 - 17) / 4; version > 13 {
			t.Errorf("%s: %d bytes make version %d; want at most 13", endpoint, len(text), version)
		}
		if len(text) >= 450 {
			t.Errorf("%s: the config has %d bytes", endpoint, len(text))
		}
	}
}

func TestTerminalQRHasQuietZone(t *testing.T) {
	drawn, err := TerminalQR("[Interface]")
	if err != nil {
		t.Fatal(err)
	}
	modules := readTerminal(t, drawn)
	size := len(modules[0])
	for y, row := range modules {
		for x, dark := range row {
			if dark && (x < 4 || y < 4 || x >= size-4 || y >= size-4) {
				t.Fatalf("the module at %d, %d of %d is dark", x, y, size)
			}
		}
	}
}

func TestTooLongForACode(t *testing.T) {
	_, err := TerminalQR(strings.Repeat("secret", 100))
	if !errors.Is(err, ErrInvalid) || strings.Contains(err.Error(), "secret") {
		t.Errorf("600 bytes: %v", err)
	}
}

// readTerminal reads half blocks back to modules, as an eye sees them. Each line
// has to set its colours, black on white, and to put them back.
func readTerminal(t *testing.T, drawn string) [][]bool {
	t.Helper()
	var modules [][]bool
	for line := range strings.SplitSeq(strings.TrimSuffix(drawn, "\n"), "\n") {
		line, ok := strings.CutPrefix(line, "\x1b[38;5;16;48;5;231m")
		line, reset := strings.CutSuffix(line, "\x1b[0m")
		if !ok || !reset {
			t.Fatalf("line %q does not set or reset its colours", line)
		}
		var upper, lower []bool
		for _, r := range line {
			upper = append(upper, r == '█' || r == '▀')
			lower = append(lower, r == '█' || r == '▄')
			if !strings.ContainsRune("█▀▄ ", r) {
				t.Fatalf("line %q has %q", line, r)
			}
		}
		modules = append(modules, upper, lower)
	}
	return modules
}

// decode is the phone's part: an independent decoder on a picture of the code.
func decode(t *testing.T, modules [][]bool) (*gozxing.Result, error) {
	t.Helper()
	const scale = 4
	img := image.NewGray(image.Rect(0, 0, len(modules[0])*scale, len(modules)*scale))
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			c := color.Gray{Y: 255}
			if modules[y/scale][x/scale] {
				c.Y = 0
			}
			img.SetGray(x, y, c)
		}
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	result, err := zxing.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil { // it misses about one good code in eighty when it looks for it as in a photograph
		result, err = zxing.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	}
	return result, err
}
