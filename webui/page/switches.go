package page

// turning is something that is turned on or off with one button, and what that does and reveals.
type turning struct {
	What, Name    string
	On            bool
	Does, Reveals string
	Button        string // what it does now
}

// Switch is a view of something that is turned on or off.
func (v *view) Switch(what, name string, on bool) *view {
	button := "watch." + what + "_on"
	if on {
		button = "watch." + what + "_off"
	}
	return v.With(turning{
		What: what, Name: name, On: on, Does: v.T("watch." + what + "_why"), Reveals: v.optional("watch." + what + "_reveals"),
		Button: v.T(button),
	})
}

// optional is a sentence that not everything has.
func (v *view) optional(key string) string {
	if sentence := v.T(key); sentence != key {
		return sentence
	}
	return ""
}

// Beside is the sentence for what was wrong with one of the forms of the page; empty for the others.
func (v *view) Beside(form string) string {
	if m, ok := v.M.(Watch); ok && m.ProblemForm == form {
		return v.Trouble(m.Problem, 0)
	}
	return ""
}

// Looking is the frame of the check: a browser without script fetches it again while somebody looks.
func (v *view) Looking(running bool) *view {
	other := *v
	if running {
		other.Fetch = 5
	}
	return &other
}

// Called is a line of history whose mark says what the verdict became.
func (v *view) Called(p past) mark { return mark{p.Kind, p.Icon, p.Who} }
