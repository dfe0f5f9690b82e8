// Package account keeps the household's one account: who may use the page, and how anybody proves it.
//
// What it keeps true. There is one passphrase, and until there is one nobody is signed in; of several who set it at once,
// one wins. Whoever guesses anything here gets no more guesses than backoff.go counts, however many addresses he
// has and however often the daemon is restarted; and a browser of the household that has signed in before is not held up
// by what others guess. Nothing that lets anybody in is on the disk in a form that would: of cookies, tokens and recovery
// codes there are hashes, of the passphrase there is Argon2id; only the TOTP key is there as it is, since codes come of it.
// A TOTP code and a recovery code count once. What was acknowledged survives a kill, and a change and its line in the
// journal are one transaction.
//
// Its nouns. Claiming is setting the first passphrase. A session is a browser that is signed in: the browser has a cookie,
// people see the session's ID. A fresh session has given the passphrase within 15 minutes. A device cookie says of a
// browser only that it has signed in before. An offer is a TOTP key that does not hold yet. A token is for programs and
// has scopes. A lane is where a guess is counted: that of its source and that of everybody together, or that of a known
// device or session alone.
//
// Time. What is short (freshness, offers, back-off, the second step, the idleness of a session that this process has seen)
// is measured with the monotonic clock, which nobody sets. What must outlive a restart is compared with clock.Mark's time:
// a clock that is wrong denies for as long as it is wrong, and only one that somebody vouches for removes.
//
// It knows no HTTP: strings and addresses come in, results go out. It never takes the value of a cookie from outside,
// never says what about a guess was wrong, never logs or journals a secret, and starts no goroutine.
package account
