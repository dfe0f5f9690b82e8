// Package api is Hearthgate's JSON API: what can be asked of a running appliance and what can be changed.
//
// It keeps true that every change goes through the rooms that own it, that a request is understood whole or refused
// whole (an unknown field is an error, one request makes one change), and that an error is a sentence a person can act
// on, as application/problem+json (RFC 9457).
//
// The same handlers stand behind the control socket, where whoever can open it is the machine's owner, and later behind
// the page on the LAN, which asks for a passphrase first. This package does not know who asks; whoever mounts it must.
//
// It never shows a private key but in the answer to adding or rekeying a phone, and never an internal error's text to
// a stranger.
package api
