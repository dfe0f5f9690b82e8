// Package witness is the other end of the look from outside: a small service that somebody runs on a server or at a friend's,
// and that tells a home which of its ports can be reached from the internet.
//
// It keeps true that nobody can use a witness against a third party, nor as an amplifier, nor as a scanner for hire. The target is
// always the address from which the caller asks, and for IPv6 at most eight addresses in the caller's /64. Nothing at all is sent before
// a request that is signed by the key of a known invite; from then on a meter lets no more bytes out, probes included, than
// have come in, which is why questions are padded. Ports come from a fixed list. Whoever asks too often is refused, and
// the longer the more often they ask. What was seen is told to the caller and to nobody else: not even the log has it.
//
// Its nouns. A Book is the witness's directory on disk: its key, and the guests who may ask. An Invite is the one line that a
// guest gets: where the witness is, its public key, and the secret seed of the guest's own key. A hello, a challenge, a question and
// an answer or a refusal are the five messages of one exchange, in that order, each signed. A look is what the witness does between a
// question and its answer. The meter counts bytes; the budget counts looks.
//
// It never keeps an invite's secret, never dials a port from a socket that was bound to one, never retries a caller who is slow or
// malformed (the connection ends without a word), and never judges: whoever asked checks the signature, the nonces and the time,
// and makes of the answer what it can.
package witness
