package e2e

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pageColours is how many colours a kept picture has: pages are flat areas and the edges of letters between them.
const pageColours = 32

// pageTall is where a long page's picture ends, in pixels: what follows looks the same.
const pageTall = 1700

// pageWriteSmall writes a PNG with a palette of its own.
func pageWriteSmall(file string, picture []byte) error {
	img, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return err
	}
	if long, ok := img.(interface {
		SubImage(image.Rectangle) image.Image
	}); ok {
		img = long.SubImage(img.Bounds().Intersect(image.Rect(0, 0, img.Bounds().Dx(), pageTall)))
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	if err := encoder.Encode(&b, pagePalette(img)); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// A pageTint is a colour and how many pixels have it.
type pageTint struct {
	of    color.RGBA
	count int
}

// pagePalette draws a picture with the colours that it has most of, which are its areas, and for the rest of the palette
// with means of those that are close to each other (median cut, Heckbert 1982).
func pagePalette(img image.Image) *image.Paletted {
	tints := pageTints(img)
	palette := make(color.Palette, 0, pageColours)
	areas := min(len(tints), pageColours/2)
	for _, one := range tints[:areas] {
		palette = append(palette, one.of)
	}
	for _, box := range pageCuts(tints[areas:], pageColours-areas) {
		palette = append(palette, pageMean(box))
	}
	out := image.NewPaletted(img.Bounds(), palette)
	index := make(map[color.RGBA]uint8, len(tints))
	for _, one := range tints {
		index[one.of] = uint8(palette.Index(one.of))
	}
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			out.SetColorIndex(x, y, index[pageRGBA(img.At(x, y))])
		}
	}
	return out
}

// pageWeight is how much a colour of its own matters to a tint: a lock is small, and must not turn from green to grey.
func pageWeight(t pageTint) int {
	if max(t.of.R, t.of.G, t.of.B)-min(t.of.R, t.of.G, t.of.B) >= 40 {
		return 8 * t.count
	}
	return t.count
}

// pageTints are the colours of a picture, those first that most need one of their own.
func pageTints(img image.Image) []pageTint {
	counts := make(map[color.RGBA]int)
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			counts[pageRGBA(img.At(x, y))]++
		}
	}
	tints := make([]pageTint, 0, len(counts))
	for of, count := range counts {
		tints = append(tints, pageTint{of, count})
	}
	slices.SortFunc(tints, func(a, b pageTint) int {
		return cmp.Or(cmp.Compare(pageWeight(b), pageWeight(a)), pageCompare(a, b, 0), pageCompare(a, b, 1), pageCompare(a, b, 2))
	})
	return tints
}

func pageRGBA(c color.Color) color.RGBA {
	r, g, b, _ := c.RGBA()
	return color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}
}

// channel is the red, green or blue of a pageTint.
func pageChannel(t pageTint, n int) uint8 { return [3]uint8{t.of.R, t.of.G, t.of.B}[n] }

func pageCompare(a, b pageTint, n int) int { return cmp.Compare(pageChannel(a, n), pageChannel(b, n)) }

// pageCuts puts tints into boxes: always the box with the widest channel is cut, where half of its pixels are on each side.
func pageCuts(tints []pageTint, boxes int) [][]pageTint {
	if len(tints) == 0 {
		return nil
	}
	out := [][]pageTint{tints}
	for len(out) < boxes {
		widest, on, width := -1, 0, 0
		for i, box := range out {
			for n := range 3 {
				if w := pageSpread(box, n); len(box) > 1 && w > width {
					widest, on, width = i, n, w
				}
			}
		}
		if widest < 0 {
			break
		}
		left, right := pageHalve(out[widest], on)
		out[widest] = left
		out = append(out, right)
	}
	return out
}

func pageSpread(box []pageTint, n int) int {
	low, high := 255, 0
	for _, one := range box {
		low, high = min(low, int(pageChannel(one, n))), max(high, int(pageChannel(one, n)))
	}
	return high - low
}

func pageHalve(box []pageTint, n int) (left, right []pageTint) {
	box = slices.Clone(box)
	slices.SortStableFunc(box, func(a, b pageTint) int { return pageCompare(a, b, n) })
	total, half := 0, 0
	for _, one := range box {
		total += one.count
	}
	cut := 0
	for cut < len(box)-1 && (cut == 0 || half < total/2) {
		half += box[cut].count
		cut++
	}
	return box[:cut], box[cut:]
}

func pageMean(box []pageTint) color.RGBA {
	var sum [3]int
	total := 0
	for _, one := range box {
		for n := range 3 {
			sum[n] += int(pageChannel(one, n)) * one.count
		}
		total += one.count
	}
	return color.RGBA{uint8(sum[0] / total), uint8(sum[1] / total), uint8(sum[2] / total), 255}
}

// table writes a README that shows the album, and removes the pictures of what is no more.
func (a *pageAlbum) table() error {
	var pages, looks, states []string
	files := make(map[string]bool)
	for _, one := range a.kept {
		files[one.file] = true
		switch {
		case strings.Contains(one.page, "/"):
			states = append(states, fmt.Sprintf("%s<br><img src=\"%s\" alt=\"%s\" width=\"195\">", one.page, one.file, one.page))
			continue
		case !slices.Contains(pages, one.page):
			pages = append(pages, one.page)
		}
		if !slices.Contains(looks, one.look) {
			looks = append(looks, one.look)
		}
	}
	if err := a.discard(files); err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("# Every page, as a browser shows it\n\n`make screens` takes these pictures of the running binary in the lab, with Debian's Chromium. " +
		"The household in them is made up, and all that is secret in them was thrown away with it.\n\n")
	fmt.Fprintf(&b, "| | %s |\n|---|%s\n", strings.Join(looks, " | "), strings.Repeat("---|", len(looks)))
	for _, page := range pages {
		fmt.Fprintf(&b, "| %s |", page)
		for _, look := range looks {
			if file := page + "-" + look + ".png"; files[file] {
				fmt.Fprintf(&b, " <img src=\"%s\" alt=\"%s, %s\" width=\"%s\">", file, page, look, pageShown(look))
			}
			b.WriteString(" |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n## Further states\n\n| | | | |\n|---|---|---|---|\n")
	for row := range slices.Chunk(states, 4) {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
	}
	return os.WriteFile(filepath.Join(a.dir, "README.md"), []byte(b.String()), 0o644)
}

// pageShown is how wide the README shows a picture.
func pageShown(look string) string {
	if strings.HasSuffix(look, "-1280") {
		return "400"
	}
	return "195"
}

// discard removes every picture but those.
func (a *pageAlbum) discard(but map[string]bool) error {
	old, err := filepath.Glob(filepath.Join(a.dir, "*.png"))
	if err != nil {
		return err
	}
	for _, file := range old {
		if !but[filepath.Base(file)] {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	return nil
}
