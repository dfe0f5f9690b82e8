package publicaddr

import "net/netip"

// conclude is the rule, and pure.
func conclude(family Family, ways []Way, answers []answer) Result {
	r := Result{Standing: Unknown, NoRoute: len(ways) > 0}
	var counted []int
	for i, a := range answers {
		s := Said{By: ways[i].By, Mechanism: ways[i].Mechanism, Addr: a.addr, Err: a.err, Odd: a.err == nil && !IsPublic(a.addr)}
		r.Said = append(r.Said, s)
		r.NoRoute = r.NoRoute && unrouted(a.err)
		if a.err != nil || s.Odd {
			continue
		}
		counted = append(counted, i)
		if r.Country == "" {
			r.Country = a.country
		}
	}
	if len(counted) == 0 {
		return r
	}
	first := answers[counted[0]].addr
	operators, mechanisms := map[string]bool{}, map[Mechanism]bool{}
	for _, i := range counted {
		if !same(family, first, answers[i].addr) {
			r.Standing = Ambiguous
			return r
		}
		operators[ways[i].By], mechanisms[ways[i].Mechanism] = true, true
	}
	if len(operators) >= 2 && len(mechanisms) >= 2 {
		r.Standing, r.Addr = Known, first
	}
	return r
}

// same tells whether two answers mean the same home. In IPv6 a machine has several addresses in its network and may use another one
// for every connection (RFC 8981), so the network is what counts.
func same(family Family, a, b netip.Addr) bool {
	if family == IPv4 {
		return a == b
	}
	network, err := a.Prefix(64)
	return err == nil && network.Contains(b)
}
