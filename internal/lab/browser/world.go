package browser

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
)

// world is the name of the scripts' world in which this package looks at a page: it sees the same document as the page's
// own scripts, and none of their variables; the page's policy is not its own.
const world = "hearthgate-test"

// patient is how long something is waited for that must come, on a machine that is busy.
const patient = 10 * time.Second

// forgotten is after how long a command that can be given again is taken for one that is never answered.
const forgotten = 3 * time.Second

// in returns the world of the document that is there now, and makes it where it is a new one.
func (p *Page) in() (runtime.ExecutionContextID, error) {
	if known := p.watch.current(); known != 0 {
		return known, nil
	}
	made, err := attemptFor(p, forgotten, page.CreateIsolatedWorld,
		page.CreateIsolatedWorldParams{FrameID: p.frame, WorldName: world})
	return made.ExecutionContextID, err
}

// evaluate runs an expression in the document that is there now, and once more when that one goes away meanwhile.
func (p *Page) evaluate(expression string, byValue bool) (*runtime.RemoteObject, error) {
	var last error
	for range 5 {
		in, err := p.in()
		if err != nil {
			last = err
			time.Sleep(5 * time.Millisecond)
			continue
		}
		yes := true
		got, err := attempt(p, runtime.Evaluate, runtime.EvaluateParams{
			Expression: expression, ContextID: in, ReturnByValue: &byValue, AwaitPromise: &yes, Silent: &yes,
		})
		if err != nil {
			last = err
			time.Sleep(5 * time.Millisecond)
			continue
		}
		return got.Result, thrown(got.ExceptionDetails)
	}
	return nil, last
}

// errThrown is an exception in an expression.
var errThrown = errors.New("exception")

func thrown(details *runtime.ExceptionDetails) error {
	if details == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", errThrown, exception(details))
}

func exception(details *runtime.ExceptionDetails) string {
	if details.Exception != nil && details.Exception.Description != "" {
		return details.Exception.Description
	}
	return details.Text
}

// ask runs a function of the document with arguments, and decodes what it returns.
func (p *Page) ask(into any, function string, arguments ...any) error {
	result, err := p.evaluate(invoke(function, arguments...), true)
	if err != nil || into == nil || len(result.Value) == 0 {
		return err
	}
	return json.Unmarshal(result.Value, into)
}

// invoke is the expression that calls a function.
func invoke(function string, arguments ...any) string {
	var written []string
	for _, argument := range arguments {
		text, err := json.Marshal(argument)
		if err != nil {
			panic(err) // strings and numbers of this package
		}
		written = append(written, string(text))
	}
	return "(" + function + ")(" + strings.Join(written, ", ") + ")"
}

// on calls a function with an element as its this.
func (p *Page) on(element runtime.RemoteObjectID, into any, function string) error {
	yes := true
	got, err := attemptFor(p, patient, runtime.CallFunctionOn, runtime.CallFunctionOnParams{
		ObjectID: element, FunctionDeclaration: function, ReturnByValue: &yes, AwaitPromise: &yes,
	})
	if err != nil {
		return err
	}
	if err := thrown(got.ExceptionDetails); err != nil {
		return err
	}
	return json.Unmarshal(got.Result.Value, into)
}

// breathe returns after the page has done what it had to do at once. A pressed button sends its form in a task of its own,
// which the browser tells of when it is over; so this waits for a task behind it, and where scripts are off, which stops
// timers too, for the browser's next answers.
func (p *Page) breathe() {
	for range 3 {
		_, _ = p.evaluate("0", true)
	}
}
