package peers

import (
	"strings"

	qrcode "github.com/skip2/go-qrcode"
)

// MaxQR is the longest text, in bytes, for which a code is drawn. Phones read a
// denser one badly, and Android's scanner then takes it for a bar code
// ("03048812"); up to 425 bytes it is version 13 and fits 80 columns.
const MaxQR = 450

// QRMatrix gives the code for a text: true is dark; a quiet zone of four modules
// is part of it (ISO/IEC 18004). Level L: on a screen nothing is torn or
// stained, and each level above makes the modules smaller.
func QRMatrix(text string) ([][]bool, error) {
	if len(text) > MaxQR {
		return nil, invalidf("config is %d bytes long, too much for a code that phones read well: expected at most %d; use the file, or a shorter endpoint name", len(text), MaxQR)
	}
	code, err := qrcode.New(text, qrcode.Low)
	if err != nil {
		// Not quoted: the text holds a private key.
		return nil, invalidf("drawing a QR code of %d bytes: %v", len(text), err)
	}
	return code.Bitmap(), nil
}

// TerminalQR draws the code for a terminal, two modules to a character. It names
// its colours, black on white from the fixed 256 and not from the theme's
// sixteen, because scanners do not read a light code on a dark ground.
func TerminalQR(text string) (string, error) {
	matrix, err := QRMatrix(text)
	if err != nil {
		return "", err
	}
	const black, reset = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
	var b strings.Builder
	for y := 0; y < len(matrix); y += 2 {
		b.WriteString(black)
		for x := range matrix[y] {
			below := y+1 < len(matrix) && matrix[y+1][x]
			b.WriteString(halfBlock(matrix[y][x], below))
		}
		b.WriteString(reset + "\n")
	}
	return b.String(), nil
}

func halfBlock(above, below bool) string {
	switch {
	case above && below:
		return "█"
	case above:
		return "▀"
	case below:
		return "▄"
	}
	return " "
}
