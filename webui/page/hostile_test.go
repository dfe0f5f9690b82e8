package page

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/health"
)

// ours are the fields whose words the server chooses from a list. All others may hold what somebody typed.
var ours = []string{
	"State", "Phase", "App", "Via", "Theme", "Language", "Problem", "ProblemForm", "Key", "Verdict", "Reasons", "Warnings",
	"Type", "Protocol", "Kind", "Kinds", "Scopes", "Args", "ProblemArgs", "Data", "Agent", "Expires", "PeerName",
	"Action", "Cancel", "Back", "ConfPath", // paths, which the server makes
	"Code", "Why", "Next", "Family", "Role", "Door", // health's own words
}

// TestWhateverIsTypedStaysText fills every field of every page that could hold something typed, once with a harmless word
// and once with something hostile, and compares the elements and attributes that a browser makes of it.
func TestWhateverIsTypedStaysText(t *testing.T) {
	for _, s := range samples(t) {
		harmless := s
		harmless.model = filled(s.model, "harmless")
		want := shape(parse(t, render(t, harmless)))
		for _, name := range hostile {
			bad := s
			bad.model = filled(s.model, name)
			root := parse(t, render(t, bad))
			if got := shape(root); got != want {
				t.Errorf("%s: %q changed the page:\n%s", s.name, name, firstDifference(want, got))
			}
			checkPolicy(t, root)
			checkAddresses(t, root)
		}
	}
}

func filled(m Model, with string) Model {
	v := reflect.New(reflect.TypeOf(m)).Elem()
	v.Set(reflect.ValueOf(m))
	fill(v, with)
	return v.Interface().(Model)
}

func fill(v reflect.Value, with string) {
	switch v.Kind() {
	case reflect.String:
		if v.String() != "" { // an empty one means that there is nothing
			v.SetString(with)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Slice {
			return // a code
		}
		copied := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(copied, v)
		for i := range copied.Len() {
			fill(copied.Index(i), with)
		}
		if !v.IsNil() {
			v.Set(copied)
		}
	case reflect.Map:
		if v.IsNil() || v.Type().Elem().Kind() != reflect.String {
			return
		}
		copied := reflect.MakeMap(v.Type())
		for _, key := range v.MapKeys() {
			copied.SetMapIndex(key, reflect.ValueOf(with))
		}
		v.Set(copied)
	case reflect.Struct:
		if ours := []string{reflect.TypeFor[Home]().PkgPath(), reflect.TypeFor[health.Report]().PkgPath()}; !slices.Contains(ours, v.Type().PkgPath()) {
			return // a time, or an address
		}
		for i := range v.NumField() {
			if field := v.Type().Field(i); !slices.Contains(ours, field.Name) {
				fill(v.Field(i), with)
			}
		}
	default:
	}
}

func firstDifference(a, b string) string {
	before, after := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(before), len(after)) {
		if before[i] != after[i] {
			return before[i] + "\nbecame\n" + after[i]
		}
	}
	return "one is longer"
}

// TestAJournalCannotBeForged does the same for events, whose data come from everywhere.
func TestAJournalCannotBeForged(t *testing.T) {
	v := testView()
	for _, name := range hostile {
		for _, eventType := range eventTypes(t) {
			row := JournalRow{Type: eventType, PeerName: name, Message: name, Data: map[string]string{}}
			for _, key := range []string{"from", "to", "service", "target", "name", "code", "external", "internal", "gone", "verdict", "reason", "address", "port"} {
				row.Data[key] = name
			}
			for _, change := range []string{"", "name", "disabled", "expires_at", "services", name} {
				row.Data["change"] = change
				got := strings.NewReplacer("<bdi>", "", "</bdi>", "").Replace(string(v.Event(row)))
				if strings.ContainsAny(got, `<>"`) || got == "" {
					t.Errorf("%s of %q is %q", eventType, name, got)
				}
			}
		}
	}
}

func TestNamesInAttributesAreIsolatedOnlyWhenTheyMustBe(t *testing.T) {
	v := testView()
	for _, name := range []string{"Anna’s phone", hostile[0], hostile[6]} {
		if got := v.Said(name); got != name {
			t.Errorf("%q was given as %q", name, got)
		}
	}
	if got := v.Said(hostile[7]); !strings.HasPrefix(got, "\u2068") || !strings.HasSuffix(got, "\u2069") {
		t.Errorf("a name that is written from the right was given as %q", got)
	}
}
