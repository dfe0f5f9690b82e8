package account

import "time"

// How many guesses there are. This file is arithmetic; guard.go keeps the counts.
//
// A guess of a stranger is counted twice. For its source (its address) five wrong ones are free, then
// each waits twice as long as the one before, up to 15 minutes: 111 on the first day and 96 on every other. For
// everybody together there is a bucket: so many wrong ones at once, then one each time the bucket regains one. Right ones
// cost nothing. The bucket is what holds against an attacker with many addresses, and it refills by itself: when he
// stops, the next stranger's guess is taken after at most `every`.
//
// A browser that has signed in before, and a session that gives its passphrase again, are counted alone, like a source,
// so that no flood of others' guesses holds them up.
//
// All this is charged before a guess is looked at, and charged on the disk: who ends the daemon in between has made his
// guess and paid for it. What time has forgiven since the last charge is not on the disk, so that after a restart one
// waits a little longer than without it, and never shorter.

// subject is what is guessed. Each is counted for itself.
type subject string

const (
	passphraseGuess subject = "passphrase"
	setupCodeGuess  subject = "setup_code"
	totpGuess       subject = "code"
	recoveryGuess   subject = "recovery_code"
	tokenGuess      subject = "token"
)

// bucket says how many wrong guesses everybody together has: burst at once, and one more each time every has passed.
type bucket struct {
	burst int
	every time.Duration
}

// bucketOf gives the numbers, which are what an attacker with ten thousand addresses gets.
func bucketOf(s subject) bucket {
	switch s {
	case setupCodeGuess:
		// 20 + 7 * 96 = 692 guesses in the first week, of a million codes: found with a chance of 0.07%. That the code
		// stays the same while the daemon runs does not help him: of k different guesses each is right with the same chance of
		// one in a million, whether the code changes in between or not. So it does not change under the hands of the person who is
		// copying it from the screen. Whoever is kept out by a flood claims through the socket (Reset).
		return bucket{burst: 20, every: 15 * time.Minute}
	case totpGuess:
		// Who gets here knows the passphrase. Three codes of a million are right at any time: 96 guesses a day are found
		// with a chance of 0.03% a day, each of them told in the journal.
		return bucket{burst: 20, every: 15 * time.Minute}
	default:
		// 20 + 1440 guesses on the first day. For recovery codes (80 bits) and tokens (256) it only keeps the noise down.
		return bucket{burst: 20, every: time.Minute}
	}
}

const (
	freeGuesses = 5
	longestWait = 15 * time.Minute
	// forgetAfter is how long a source must have been quiet to start anew: five free guesses a day are fewer than the 96
	// that it would have had by guessing on.
	forgetAfter = 24 * time.Hour
)

// waitAfter is how long the next guess waits after so many wrong ones.
func waitAfter(wrong int) time.Duration {
	switch doublings := wrong - freeGuesses; {
	case doublings < 0:
		return 0
	case doublings > 9: // 2^10 s is more than 15 minutes
		return longestWait
	default:
		return time.Second << doublings
	}
}

// counter counts the wrong guesses of one source, device or session.
type counter struct {
	wrong int
	last  time.Time // of the last one, or of the daemon's start
}

func (c counter) forgotten(now time.Time) bool { return now.Sub(c.last) >= forgetAfter }

func (c counter) remaining(now time.Time) time.Duration {
	if c.forgotten(now) {
		return 0
	}
	return waitAfter(c.wrong) - now.Sub(c.last)
}

func (c counter) charged(now time.Time) counter {
	if c.forgotten(now) {
		c.wrong = 0
	}
	return counter{wrong: c.wrong + 1, last: now}
}

// level is how much is out of a bucket: it will be full again at full. (The generic cell rate algorithm.)
type level struct {
	full time.Time
}

func (l level) remaining(b bucket, now time.Time) time.Duration {
	if !l.full.After(now) { // also the zero level, which is a full bucket
		return 0
	}
	return l.full.Sub(now) - time.Duration(b.burst-1)*b.every
}

func (l level) charged(b bucket, now time.Time) level {
	if l.full.Before(now) {
		l.full = now
	}
	return level{full: l.full.Add(b.every)}
}

func (l level) refunded(b bucket) level { return level{full: l.full.Add(-b.every)} }
