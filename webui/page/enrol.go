package page

import "time"

// enrolment is what the page with the code and the page behind a one-time link share: the code and what to do with it.
type enrolment struct {
	Name, FileName, ConfPath string
	Code                     [][]bool
	App                      string
	OnPhone                  bool
	Until                    time.Time
	AtHomeOnly               bool
}

// Enrolment is that part of a model.
func (v *view) Enrolment() enrolment {
	switch m := v.M.(type) {
	case Scan:
		return enrolment{m.Name, m.FileName, "/phones/" + m.ID + "/conf", m.Code, app(m.App), m.OnPhone, m.Until, m.AtHomeOnly}
	case LinkSpent:
		return enrolment{m.Name, m.FileName, m.ConfPath, m.Code, app(m.App), m.OnPhone, m.Until, m.AtHomeOnly}
	}
	return enrolment{}
}

// app is the kind of phone whose steps are shown: one of the two that there are.
func app(name string) string {
	if name == "android" {
		return "android"
	}
	return "iphone"
}

// Everyday are the services but for the page itself, which few phones need.
func (v *view) Everyday(all []ServiceChoice) []ServiceChoice { return chosenBy(all, false) }

// Special is the page itself.
func (v *view) Special(all []ServiceChoice) []ServiceChoice { return chosenBy(all, true) }

func chosenBy(all []ServiceChoice, admin bool) []ServiceChoice {
	var out []ServiceChoice
	for _, s := range all {
		if (s.Builtin && s.Name == "admin") == admin {
			out = append(out, s)
		}
	}
	return out
}

// CanSwitch tells whether the page can be asked for again for the other kind of phone. A spent link cannot: it was the
// answer to a form.
func (v *view) CanSwitch() bool {
	_, ok := v.M.(Scan)
	return ok
}
