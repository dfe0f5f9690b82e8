package words

import (
	"strconv"
	"strings"
)

// Number writes a whole number with thousands set apart from five digits on: "1234", "12,345". Below that no language
// needs it, and Spanish forbids it.
func (c *Catalogue) Number(n int64) string {
	digits, sign := strconv.FormatInt(n, 10), ""
	if n < 0 {
		digits, sign = digits[1:], "-"
	}
	if len(digits) < 5 {
		return sign + digits
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + c.habits.group + digits[i:]
	}
	return sign + digits
}

// Units are decimal (IEC 80000-13), as phones show them: an iPhone's and an Android's "GB" is 1,000,000,000 bytes.
var sizes = []string{"unit.b", "unit.kb", "unit.mb", "unit.gb", "unit.tb", "unit.pb", "unit.eb"}

// Bytes writes an amount of data in two or three digits: "1.2 GB", "34.5 MB", "870 kB", "0 B". A no-break space stands
// before the unit. Less than nothing is nothing.
func (c *Catalogue) Bytes(n int64) string {
	n = max(n, 0)
	if n < 1000 {
		return c.T(sizes[0], "n", c.Number(n))
	}
	unit, scale := 1, int64(1000) // bytes per unit
	for unit < len(sizes)-1 && rounded(n, scale) >= 1000 {
		unit, scale = unit+1, scale*1000
	}
	tenths := rounded(n, scale/10)
	if tenths >= 1000 {
		return c.T(sizes[unit], "n", c.Number(rounded(n, scale)))
	}
	text := c.Number(tenths / 10)
	if tenths%10 != 0 {
		text += c.habits.decimal + strconv.FormatInt(tenths%10, 10)
	}
	return c.T(sizes[unit], "n", text)
}

// rounded divides to the nearest, without the overflow that adding half of the divisor first could have.
func rounded(n, by int64) int64 {
	quotient, rest := n/by, n%by
	if rest >= by-rest {
		quotient++
	}
	return quotient
}

// List joins things as one says them: "a", "a and b", "a, b, and c". Spanish "y" does not become "e" before a sound of
// i, because the i that phones' names begin with (iPhone, iPad) does not sound so.
func (c *Catalogue) List(items []string) string {
	switch len(items) {
	case 0:
		return ""
	case 1:
		return items[0]
	case 2:
		return c.T("list.two", "a", items[0], "b", items[1])
	}
	last := len(items) - 1
	return c.T("list.last", "a", strings.Join(items[:last], c.T("list.between")), "b", items[last])
}
