package e2e

import (
	"image"
	"image/color"
	"regexp"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// scan reads the QR code out of what a terminal shows, as a phone's camera would: by its dark and light halves of
// characters, with a decoder that shares no code with the encoder.
func scan(t testing.TB, screen string) string {
	t.Helper()
	colours := regexp.MustCompile("\x1b\\[[0-9;]*m")
	var rows [][]rune
	for line := range strings.Lines(screen) {
		if strings.Contains(line, "\x1b[") {
			rows = append(rows, []rune(strings.TrimRight(colours.ReplaceAllString(line, ""), "\r\n")))
		}
	}
	if len(rows) < 20 {
		t.Fatalf("no code on the screen:\n%s", screen)
	}
	const module = 4 // pixels
	img := image.NewGray(image.Rect(0, 0, len(rows[0])*module, len(rows)*2*module))
	for y := range img.Rect.Max.Y {
		for x := range img.Rect.Max.X {
			cell, upper := rows[y/module/2][x/module], y/module%2 == 0
			dark := cell == '█' || (cell == '▀' && upper) || (cell == '▄' && !upper)
			if !dark {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	// This decoder misses about one good code in eighty when it looks for it as in a photograph.
	result, err := qrcode.NewQRCodeReader().Decode(bitmap, nil)
	if err != nil {
		result, err = qrcode.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	}
	if err != nil {
		t.Fatalf("the code cannot be read: %v\n%s", err, screen)
	}
	return result.GetText()
}
