package page

// PhoneCheck is the page inside the tunnel on which a phone looks at the home from outside.
type PhoneCheck struct {
	Task       string // what the script is to do, as JSON; empty: nothing, and Outcome says why
	Outcome    string // one of PhoneOutcomes
	Controlled bool   // a witness stands by, so that finding nothing says something
}

func (PhoneCheck) name() string { return "phone_check" }

// PhoneScript is the script of that page, for a worker, which runs it with its task in front.
func PhoneScript() string {
	content, _ := assetFiles.ReadFile("assets/phonecheck.js") // embedded: it cannot fail
	return string(content)
}

// phoneKinds are the notices in which outcomes are said. What is not here is "info".
var phoneKinds = map[string]string{"exposed": "error", "answers": "warning", "nothing": "success"}

// PhoneKind is the kind of notice in which an outcome is said.
func PhoneKind(outcome string) string {
	if kind, ok := phoneKinds[outcome]; ok {
		return kind
	}
	return "info"
}

// PhoneSaid is the catalogue key of an outcome's sentence.
func PhoneSaid(outcome string) string { return "phonecheck.said." + outcome }

// PhoneKind and PhoneSaid are what the template says.
func (v *view) PhoneKind(outcome string) string { return PhoneKind(outcome) }

// PhoneIcon is the icon of an outcome's notice.
func (v *view) PhoneIcon(outcome string) string { return v.NoticeIcon(PhoneKind(outcome)) }

// PhoneSaid is the sentence.
func (v *view) PhoneSaid(outcome string) string { return v.T(PhoneSaid(outcome)) }
