package api

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// route is one line of the table: what is asked, what it needs, who answers.
type route struct {
	method, path string
	need         need
	answer       echo.HandlerFunc
}

// routes is every route there is. What does not stand here is not answered, whatever else was registered.
func (s *Server) routes() []route {
	return []route{
		{http.MethodGet, "/api/openapi.yaml", needRead, getDescription},
		{http.MethodGet, "/metrics", needMetrics, s.getMetrics},

		{http.MethodGet, "/api/v1/status", needRead, s.getStatus},
		{http.MethodGet, "/api/v1/exposure", needRead, s.getExposure},
		{http.MethodPost, "/api/v1/exposure/checks", needManage, s.checkExposure},
		{http.MethodGet, "/api/v1/exposure/checks", needRead, s.getExposureChecks},
		{http.MethodGet, "/api/v1/exposure/history", needRead, s.getExposureHistory},
		{http.MethodGet, "/api/v1/exposure/setup", needRead, s.withHealth(s.getExposureSetup)},
		{http.MethodPatch, "/api/v1/exposure/setup", needManage, s.withHealth(s.patchExposureSetup)},
		{http.MethodPost, "/api/v1/exposure/witnesses", needManage, s.withHealth(s.addWitness)},
		{http.MethodDelete, "/api/v1/exposure/witnesses/:name", needManage, s.withHealth(s.removeWitness)},
		{http.MethodGet, "/api/v1/exposure/mappings", needRead, s.withHealth(s.listMappings)},
		{http.MethodPost, "/api/v1/exposure/mappings/delete", needManage, s.withHealth(s.deleteMapping)},
		{http.MethodGet, "/api/v1/journal", needRead, s.getJournal},
		{http.MethodGet, "/api/v1/events", needRead, s.streamEvents},

		{http.MethodGet, "/api/v1/peers", needRead, s.listPeers},
		{http.MethodPost, "/api/v1/peers", needManage, s.addPeer},
		{http.MethodGet, "/api/v1/peers/:id", needRead, s.getPeer},
		{http.MethodPatch, "/api/v1/peers/:id", needManage, s.changePeer},
		{http.MethodDelete, "/api/v1/peers/:id", needManage, s.removePeer},
		{http.MethodPost, "/api/v1/peers/:id/rekey", needManage, s.rekeyPeer},
		{http.MethodGet, "/api/v1/peers/:id/usage", needRead, s.getUsage},
		{http.MethodPost, "/api/v1/peers/:id/link", needManage, s.makeLink},
		{http.MethodGet, "/api/v1/peers/:id/config", needManage, s.getConfig},
		{http.MethodGet, "/api/v1/peers/:id/qr.svg", needManage, s.getCode},

		{http.MethodGet, "/api/v1/services", needRead, s.listServices},
		{http.MethodPost, "/api/v1/services", needManage, s.addService},
		{http.MethodDelete, "/api/v1/services/:name", needManage, s.removeService},
		{http.MethodGet, "/api/v1/home-assistant", needRead, s.getHomeAssistant},
		{http.MethodPut, "/api/v1/home-assistant", needManage, s.useHomeAssistant},
		{http.MethodPost, "/api/v1/server/rekey", needManage, s.rekeyServer},
		{http.MethodGet, "/api/v1/settings", needRead, s.getSettings},
		{http.MethodPut, "/api/v1/settings", needManage, s.putSettings},

		{http.MethodGet, "/api/v1/account", needPerson, s.withAccount(s.getAccount)},
		{http.MethodPut, "/api/v1/account/passphrase", needConfirm, s.withAccount(s.setPassphrase)},
		{http.MethodPost, "/api/v1/account/reset", needOwner, s.withAccount(s.reset)},
		{http.MethodPost, "/api/v1/account/two-step", needConfirm, s.withAccount(s.offerTwoStep)},
		{http.MethodPost, "/api/v1/account/two-step/confirm", needConfirm, s.withAccount(s.confirmTwoStep)},
		{http.MethodDelete, "/api/v1/account/two-step", needConfirm, s.withAccount(s.endTwoStep)},
		{http.MethodPost, "/api/v1/account/recovery-codes", needConfirm, s.withAccount(s.newRecoveryCodes)},
		{http.MethodGet, "/api/v1/sessions", needPerson, s.withAccount(s.listSessions)},
		{http.MethodDelete, "/api/v1/sessions", needConfirm, s.withAccount(s.endOtherSessions)},
		{http.MethodDelete, "/api/v1/sessions/:id", needConfirm, s.withAccount(s.endSession)},
		{http.MethodGet, "/api/v1/tokens", needPerson, s.withAccount(s.listTokens)},
		{http.MethodPost, "/api/v1/tokens", needConfirm, s.withAccount(s.addToken)},
		{http.MethodDelete, "/api/v1/tokens/:id", needConfirm, s.withAccount(s.removeToken)},
	}
}

// withAccount answers that there is none where the appliance was built without the page.
func (s *Server) withAccount(answer echo.HandlerFunc) echo.HandlerFunc {
	if s.cfg.Account == nil {
		return func(echo.Context) error { return errNotHere }
	}
	return answer
}

// guard lets a request through to the answer that the table names for it, if its caller has what is needed. It looks at
// the table and not at what echo has found, so that a handler registered elsewhere cannot be reached.
func (s *Server) guard(table []route) echo.MiddlewareFunc {
	known := make(map[string]route, len(table))
	for _, r := range table {
		known[r.method+" "+r.path] = r
	}
	return func(echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			caller := s.caller(c)
			if !caller.known() {
				return errStranger // also for what is not there: a stranger learns nothing
			}
			r, ok := known[c.Request().Method+" "+c.Path()]
			if !ok {
				return notThere(c)
			}
			if err := r.need.check(caller); err != nil {
				return err
			}
			return r.answer(c)
		}
	}
}

// caller is who asks: on the control socket the machine's owner, elsewhere who the mounter says.
func (s *Server) caller(c echo.Context) Caller {
	if s.cfg.Owner {
		return Caller{Owner: true}
	}
	return CallerOf(c.Request().Context())
}

func notThere(c echo.Context) error {
	if allow, ok := c.Get(echo.ContextKeyHeaderAllow).(string); ok && allow != "" {
		c.Response().Header().Set(echo.HeaderAllow, allow)
		return echo.ErrMethodNotAllowed
	}
	return echo.ErrNotFound
}

func getDescription(c echo.Context) error {
	return c.Blob(http.StatusOK, "application/yaml", openAPI)
}
