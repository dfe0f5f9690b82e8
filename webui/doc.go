// Package webui is the page on the LAN: where a household claims its appliance, adds a phone by a code, sees who is connected
// and whether Home Assistant is closed to the internet; and the portal, the small page that a phone sees inside the tunnel.
//
// It keeps true that every route is denied unless it stands in the table (routes.go) with a class that admits whoever asks;
// that a change is made by POST only, from our own pages, by somebody whose passphrase was asked lately; that a phone's
// private key lies on the desk, in memory, bound to the browser that asked for it, until the phone has come in, the page was
// left half a minute ago or ten minutes have passed; and that a page never shows an internal error's text.
//
// Its nouns: a route has a class, which says who may use it; a visit is one request with who is asking, in their language; a
// page's model is filled here and rendered by package page; the desk holds what may be shown once; a link is a code sent
// as an address, which makes the key when it is spent.
//
// Who may talk to the page at all is package access's; who is signed in, package account's; what changes, the rooms' below.
// It looks at no header to learn where a request comes from, and it serves nothing from the disk.
package webui
