// Package peers says who may come in. It keeps true that a name, a key and a
// tunnel address belong to one peer at a time; that a change and the line about
// it in the journal are one transaction, so that a power cut leaves both or
// neither; and that a phone's private key exists in the answer to Add and
// Rekey and nowhere else.
//
// A peer is a phone under a name that people gave it. A pair is what WireGuard
// knows of it: a public key, a preshared key and one IPv4 and one IPv6 tunnel
// address, made together and given up together. While a peer is being rekeyed it
// has two pairs under one policy, the new one and the retiring one. An enrolment
// is the answer that carries the secrets; a client config is the text that a
// phone scans. An access is one pair that the tunnel serves now.
//
// Time is the later of the clock and a saved mark (package clock). What time
// takes away is denied at once, but written down only while the clock is
// synchronised: a Pi that wakes up in 1970 opens nothing, and one that wakes up
// in 2099 destroys nothing.
//
// No answer is older than the last acknowledged change: each question asks the
// store, and is answered from what was read before only where the store says that
// nothing has changed since. The registry opens no socket,
// starts no goroutine, knows neither the tunnel nor the services behind their
// names, and never turns a name into configuration text: a client config is
// rendered from keys, addresses and a checked endpoint only.
package peers
