package link

import (
	"net/netip"
	"sync"
	"time"
)

const (
	// errorRate and errorBurst bound the ICMP errors that one phone is sent, whoever makes them: 10 a second is what RFC 4443,
	// section 2.4(f) suggests for a small device; the burst lets an app that tries a screenful of addresses in both
	// families fail at once.
	errorRate, errorBurst = 10, 40

	// fragmentRate and fragmentBurst bound the fragments that are taken from one phone. The stack keeps at most 4 MiB of them
	// in each family, for 30 s (IPv4) and 60 s (IPv6): at 32 a second one phone holds 2.5 MiB at most, and others still get in.
	// The burst is more than the 53 that the largest UDP datagram makes at 1280 bytes.
	fragmentRate, fragmentBurst = 32, 64

	// maxBuckets bounds a limiter's memory: two families of 1,000 peers, each perhaps with a retiring pair. What is forgotten
	// is a bucket that is full again, which is as if it had never been there.
	maxBuckets = 4096
)

// limiter is a token bucket for each address, so that what one phone uses up is its own.
type limiter struct {
	rate  float64 // tokens per second
	burst float64
	now   func() time.Time

	mu      sync.Mutex
	buckets map[netip.Addr]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func newLimiter(perSecond, burst float64) *limiter {
	return &limiter{rate: perSecond, burst: burst, now: time.Now, buckets: make(map[netip.Addr]bucket)}
}

// allow takes a token of addr's, if there is one.
func (l *limiter) allow(addr netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	b, known := l.buckets[addr]
	if !known {
		if len(l.buckets) >= maxBuckets && !l.forget(now) {
			return false
		}
		b.tokens = l.burst
	} else {
		b.tokens = l.filled(b, now)
	}
	b.at = now
	ok := b.tokens >= 1
	if ok {
		b.tokens--
	}
	l.buckets[addr] = b
	return ok
}

// filled is what b holds now.
func (l *limiter) filled(b bucket, now time.Time) float64 {
	return min(l.burst, b.tokens+now.Sub(b.at).Seconds()*l.rate)
}

// forget drops the buckets that are full again and says whether there is room now.
func (l *limiter) forget(now time.Time) bool {
	for addr, b := range l.buckets {
		if l.filled(b, now) >= l.burst {
			delete(l.buckets, addr)
		}
	}
	return len(l.buckets) < maxBuckets
}
