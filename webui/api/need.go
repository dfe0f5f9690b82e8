package api

// need is what a route asks of its caller. The zero need is met by nobody, so that a route of which nothing is said is
// closed.
type need string

const (
	needRead    need = "read"    // a session, or a token that may read
	needManage  need = "manage"  // a fresh session, or a token that may manage
	needPerson  need = "person"  // a session: what concerns the household's own sign-in is not for programs
	needConfirm need = "confirm" // a fresh session: a token cannot make itself stronger, and a browser left open neither
	needOwner   need = "owner"   // whoever owns the machine
	needMetrics need = "metrics" // a session, or a token for metrics
)

// check says whether the caller has what is needed: nil, or one of ErrStranger, ErrScope and ErrConfirm.
func (n need) check(c Caller) error {
	switch {
	case !c.known():
		return errStranger
	case n == "" || !n.entitled(c):
		return n.refusal(c)
	case c.Owner || c.Fresh || !n.wantsFresh(c):
		return nil
	default:
		return errConfirm
	}
}

// entitled tells whether the caller may ever do it; whether the passphrase was given lately is another question.
func (n need) entitled(c Caller) bool {
	if c.Owner {
		return true
	}
	switch n {
	case needRead:
		return c.Read
	case needManage:
		return c.Manage
	case needMetrics:
		return c.Metrics
	case needPerson, needConfirm:
		return c.SessionID != "" && c.TokenID == "" && c.Manage
	case needOwner:
		return false
	default:
		return false
	}
}

func (n need) wantsFresh(c Caller) bool {
	return n == needConfirm || n == needManage && c.TokenID == ""
}

func (n need) refusal(c Caller) error {
	switch {
	case n == needOwner:
		return refuse(ErrScope, "only the owner of the machine may do this, with the hearthgate command on it")
	case c.TokenID != "" && (n == needPerson || n == needConfirm):
		return refuse(ErrScope, "an API token may not do this; sign in on the page")
	default:
		return refuse(ErrScope, "this needs the scope "+string(n))
	}
}

var (
	errStranger = refuse(ErrStranger, "sign in first, or send an API token as Authorization: Bearer hg_...")
	errConfirm  = refuse(ErrConfirm, "give the passphrase once more first: it was too long ago")
)
