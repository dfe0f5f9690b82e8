package page

import (
	"net/url"
	"strings"
)

// InviteLink is the link by which Home Assistant's app adds a server. The address stands in the fragment, which browsers
// do not send to anybody.
func InviteLink(address string) string {
	return "https://my.home-assistant.io/invite/#url=" + url.QueryEscape(address)
}

// Invite is InviteLink, for templates.
func (v *view) Invite(address string) string { return InviteLink(address) }

// Plain tells whether an address is plain HTTP.
func (v *view) Plain(address string) bool { return strings.HasPrefix(address, "http://") }

// Link is an address that templates may put into href: http and https only.
func (v *view) Link(address string) string {
	if strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://") {
		return address
	}
	return ""
}

// Add is for page numbers.
func (v *view) Add(a, b int) int { return a + b }
