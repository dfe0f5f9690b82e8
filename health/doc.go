// Package health keeps proving that Home Assistant's port cannot be reached from the internet, and says so only when
// somebody outside has looked.
//
// It keeps three words apart. Closed: somebody outside looked, everything that shows that the look meant something held,
// and nothing answered. Exposed: one look reached the household's Home Assistant, however many others did not. Unverified:
// everything else, which is never shown as safe.
//
// Its nouns. A vantage is a place from which one looks; package vantage has one file for each. An observation is what a
// vantage saw of one port at one address. A control is what shows that an observation means anything: that Home Assistant
// answered at home before and after, that a packet from the vantage reached our line before and after, that the address was
// ours. A seat is a vantage that the household has set up. Facts are what is known of the household while one looks. A door
// is an address family and a port. A verdict is one of the three words, for a door, for a family and for all. A reason is a
// code with arguments that says why, and leads to one next step.
//
// Judge is the middle, and pure: facts, observations, what stood exposed so far and the time go in, a Report comes out. The
// Loop asks the vantages at their intervals and whenever something changes, keeps what they saw for a year, and writes to
// the journal when a verdict changes; package alert tells people.
//
// It never says closed from inside evidence (an empty table of mappings, a hairpin that failed, a scanner that knows
// nothing), never clears an exposure in one look, never asks Home Assistant for anything that it would count as a failed
// sign-in, and knows neither the tunnel nor the peers: it is told what it needs of them.
package health
