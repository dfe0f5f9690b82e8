// Package surroundings knows the household's network as far as a verdict rests on it: where Home Assistant is and which IPv6
// addresses it has, under which address the internet sees the home, who looks from outside, and what changed.
//
// It keeps two things true. What it calls known was said by a source that can know it, and by nobody else differently; sources
// that disagree make an address ambiguous, and it is never averaged, guessed or remembered into a certainty. And nothing that a
// closed verdict rests on changes unnoticed: not while the program runs, and not while it did not.
//
// Its nouns are package health's. A claim is what one source says. A sighting is an address from which somebody outside saw us
// come. A snapshot is what a verdict rests on at one moment; the last one is in the store, and changes compares two of them. A
// part of a snapshot that is not known this time is as it was: a router that did not answer has not changed.
//
// It asks the kernel, the router, Home Assistant and those outside whom the household has set up, and nobody else. It never
// decides whether anything is closed, never looks at any port but Home Assistant's, and never changes anything; what it sends
// on the LAN beyond questions is one datagram to the discard port of an address that may be Home Assistant's, and an echo request
// to all neighbours, so that the kernel finds out who is there.
package surroundings
