package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
)

// description is openapi.yaml as an independent library understands it.
var description = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(openapi3.NewLoader().Context)
})

var router = sync.OnceValues(func() (routers.Router, error) {
	doc, err := description()
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
})

// described fails the test when an answer is not as openapi.yaml says.
func described(t testing.TB, req *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	find, err := router()
	if err != nil {
		t.Fatalf("openapi.yaml: %v", err)
	}
	route, params, err := find.FindRoute(req)
	if err != nil {
		if w.Code != http.StatusNotFound && w.Code != http.StatusMethodNotAllowed && w.Code != http.StatusUnauthorized {
			t.Errorf("%s %s: %d, and openapi.yaml does not have it: %v", req.Method, req.URL.Path, w.Code, err)
		}
		return
	}
	media, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
	options := &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: !strings.HasSuffix(media, "json")}
	err = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route},
		Status:                 w.Code, Header: w.Header(), Body: io.NopCloser(strings.NewReader(w.Body.String())), Options: options,
	})
	if err != nil {
		t.Errorf("%s %s answered %d not as openapi.yaml says: %v", req.Method, req.URL.Path, w.Code, err)
	}
	if success := route.Operation.Responses.Status(w.Code); success != nil && media != "" && w.Code < http.StatusBadRequest {
		if success.Value.Content.Get(media) == nil {
			t.Errorf("%s %s answered with %s, which openapi.yaml does not say", req.Method, req.URL.Path, media)
		}
	}
}

var echoParam = regexp.MustCompile(`:(\w+)`)

func TestTheDescriptionHasEveryRouteAndWhatItNeeds(t *testing.T) {
	doc, err := description()
	if err != nil {
		t.Fatal(err)
	}
	described := make(map[string]string)
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			needs, _ := op.Extensions["x-needs"].(string)
			described[method+" "+path] = needs
			if op.Responses.Default() == nil {
				t.Errorf("%s %s: no default answer is described, which is a problem", method, path)
			}
		}
	}
	for _, r := range newHouse(t).routes() {
		name := r.method + " " + echoParam.ReplaceAllString(r.path, "{$1}")
		if got, ok := described[name]; !ok || got != string(r.need) {
			t.Errorf("%s needs %q; openapi.yaml says %q (there: %v)", name, r.need, got, ok)
		}
		delete(described, name)
	}
	for name := range described {
		t.Errorf("openapi.yaml describes %s, which is not there", name)
	}
}

func TestTheTableIsAllThatIsServed(t *testing.T) {
	h := newHouse(t)
	known := make(map[string]bool)
	for _, r := range h.routes() {
		known[r.method+" "+r.path] = true
	}
	for _, name := range h.Routes() {
		if !known[name] {
			t.Errorf("%s is served and stands in no table", name)
		}
		delete(known, name)
	}
	if len(known) != 0 {
		t.Errorf("not served: %v", known)
	}
}
