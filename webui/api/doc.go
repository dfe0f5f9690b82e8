// Package api is Hearthgate's JSON API: what can be asked of a running appliance and what can be changed. What the page can
// do, a program can do here; its description is openapi.yaml.
//
// It keeps true that every change goes through the rooms that own it, that a request is understood whole or refused
// whole (an unknown field is an error, one request makes one change), and that an error is a sentence a person can act
// on, as application/problem+json (RFC 9457). Each route stands in one table (routes.go) with what it needs; what does not
// stand there is not answered, and what nobody is said to need is answered to nobody.
//
// Its nouns: a caller is who asks and what they may, as whoever mounts the API has found out (WithCaller); a need is what
// a route asks of its caller. The same handlers stand behind the control socket, where whoever can open it is the machine's
// owner and may do everything, and behind the page on the LAN, where a caller is a browser that is signed in or a program
// with a token. Looking at cookies, tokens and addresses is the mounter's.
//
// A token never makes itself stronger: passphrase, two-step sign-in, sessions and tokens are for people. A browser is asked
// for the passphrase again before it changes anything.
//
// It never shows a private key but in the answer to adding or rekeying a phone, and to the session that is looking at its
// code; and never an internal error's text to anybody but the owner.
package api
