// Package words holds the page's languages. It keeps true that every sentence the page shows exists in every language,
// with the same placeholders, and that times, amounts and lists are written as a household of that language writes them.
//
// A Language is one of five. A Catalogue has the sentences of one language under dotted keys: one file for each
// (time., unit. and list. are what this package needs itself). A sentence is whole,
// never put together from pieces; what changes in it stands in {braces}. Where a number decides the form, two keys end in
// .one and .other. What a catalogue gives is plain text, and html/template escapes it.
//
// How sentences are written: sentence case; the typographic apostrophe ’ and never the straight one; quotation marks
// “so” in English and Dutch, „so“ in German, « so » in French and «so» in Spanish; "…" and not three dots; no HTML; names
// such as Home Assistant, WireGuard and Hearthgate, and commands, as they are. In French a no-break space (U+00A0)
// stands before : ; ! ? and inside « »; in Spanish a question or an exclamation is opened too. The household is
// addressed as Home Assistant does: du, vous, je, tú. Tests hold most of this.
//
// Passphrase makes the four words that protect a household, out of the list of the page's language.
//
// The package never fails at a missing sentence: it shows the English one, or else the key, and a test says so. It knows
// no HTTP, no template and no file outside of itself.
package words
