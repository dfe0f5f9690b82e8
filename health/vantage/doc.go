// Package vantage holds the places from which one looks at the home, one file each. Every file says at its head what its
// vantage can prove, and what it cannot.
//
// It keeps true that a vantage says what it saw, and no more: a refusal, a silence of a service, a probe that broke are untested
// and never closed; and that every observation carries its controls, so that whoever judges need not trust the one who
// looked.
//
// Its nouns are package health's. It never judges, never looks at any address but the household's own, and asks nobody whom
// the household has not set up.
package vantage

import "net/netip"

// Path is our end of the path control: the tunnel's UDP socket, which notices a datagram with a nonce that it was told to
// expect, and stays silent to everybody.
type Path interface {
	// Port is the UDP port at which the tunnel is reached from outside; 0 while it does not run.
	Port() uint16
	// Expect announces a nonce. The channel gets the sender's address when the datagram arrives; stop forgets the nonce.
	Expect(nonce [32]byte) (arrived <-chan netip.AddrPort, stop func())
}
