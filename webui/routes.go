package webui

import "net/http"

// class says who may use a route. Its zero value admits nobody.
type class int

const (
	denied  class = iota
	open          // anybody whom the door admits
	session       // whoever is signed in
	fresh         // whoever is signed in; a POST also wants a passphrase typed in the last 15 minutes
	program       // the API decides by the caller that it is told
)

// route is one line of the table.
type route struct {
	method, path string
	class        class
	handle       func(*visit) error
}

const (
	get  = http.MethodGet
	post = http.MethodPost
)

// routes is the table: what is not in it is denied.
func (s *Server) routes() []route {
	table := []route{
		{get, "/assets/:name", open, s.asset},
		{get, "/favicon.ico", open, s.favicon},

		{get, "/setup", open, s.setupPage},
		{post, "/setup", open, s.setup},
		{get, "/setup/address", session, s.setupAddressPage},
		{post, "/setup/address", fresh, s.setupAddress},
		{get, "/signin", open, s.signInPage},
		{post, "/signin", open, s.signIn},
		{get, "/signin/code", open, s.signInCodePage},
		{post, "/signin/code", open, s.signInCode},
		{post, "/signout", session, s.signOut},

		{get, "/settings", session, s.settingsPage},
		{get, "/settings/address", session, s.addressPage},
		{post, "/settings/address", fresh, s.setAddress},
		{get, "/settings/passphrase", session, s.passphrasePage},
		{post, "/settings/passphrase", fresh, s.setPassphrase},
		{get, "/settings/two-step", session, s.twoStepPage},
		{post, "/settings/two-step/start", fresh, s.startTwoStep},
		{post, "/settings/two-step/confirm", fresh, s.confirmTwoStep},
		{post, "/settings/two-step/off", fresh, s.endTwoStep},
		{post, "/settings/two-step/codes", fresh, s.newRecoveryCodes},
		{get, "/settings/sessions", session, s.sessionsPage},
		{post, "/settings/sessions/end", fresh, s.endSession},
		{get, "/settings/tokens", session, s.tokensPage},
		{post, "/settings/tokens", fresh, s.addToken},
		{post, "/settings/tokens/remove", fresh, s.removeToken},
		{get, "/settings/services", session, s.servicesPage},
		{post, "/settings/services", fresh, s.addService},
		{get, "/settings/services/:name/remove", session, s.removeServicePage},
		{post, "/settings/services/:name/remove", fresh, s.removeService},
		{get, "/settings/appearance", session, s.appearancePage},
		{post, "/settings/appearance", session, s.setAppearance},
		{get, "/settings/stolen", session, s.stolenPage},
		{post, "/settings/stolen", fresh, s.stolen},

		{get, "/metrics", program, s.program},
	}
	for _, method := range []string{get, post, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		table = append(table, route{method, "/api/*", program, s.program})
	}
	return append(append(table, s.checkRoutes()...), s.phoneRoutes()...)
}
