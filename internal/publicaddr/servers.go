package publicaddr

// Defaults are three operators, of which one tells by both mechanisms, so that any of them may be away and the address still be
// known. None of them wants a registration; all of them allow to be asked every few minutes (facts/exposure.md H).
//
// Cloudflare's page is asked by address: a resolver that lies cannot lead it astray, and its certificate names the address.
func Defaults() []Way {
	return []Way{
		{By: "Cloudflare", Mechanism: STUN, At: "stun.cloudflare.com:3478"},
		{By: "Google", Mechanism: STUN, At: "stun.l.google.com:19302"},
		{By: "ipify", Mechanism: HTTPS, Family: IPv4, At: "https://api4.ipify.org/"},
		{By: "ipify", Mechanism: HTTPS, Family: IPv6, At: "https://api6.ipify.org/"},
		{By: "Cloudflare", Mechanism: HTTPS, Family: IPv4, At: "https://1.1.1.1/cdn-cgi/trace"},
		{By: "Cloudflare", Mechanism: HTTPS, Family: IPv6, At: "https://[2606:4700:4700::1111]/cdn-cgi/trace"},
	}
}
