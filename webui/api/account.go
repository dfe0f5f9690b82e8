package api

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/webui/account"
)

// AccountView is the household's sign-in at a glance.
type AccountView struct {
	Claimed     bool        `json:"claimed"`
	ClaimedAt   time.Time   `json:"claimed_at,omitzero"`
	ClaimedFrom string      `json:"claimed_from,omitempty"` // the address of the browser that set the first passphrase
	TwoStep     TwoStepView `json:"two_step"`
}

// TwoStepView is how two-step sign-in stands.
type TwoStepView struct {
	On                bool      `json:"on"`
	Since             time.Time `json:"since,omitzero"`
	RecoveryCodesLeft int       `json:"recovery_codes_left"`
}

// SetPassphrase asks for another passphrase.
type SetPassphrase struct {
	Passphrase string `json:"passphrase"`
}

// Reset is the answer to a reset: the new passphrase is shown here and nowhere else.
type Reset struct {
	Passphrase string `json:"passphrase"`
}

// OfferedTwoStep is a key for an authenticator app; it holds once a code of it was given.
type OfferedTwoStep struct {
	Key string `json:"key"` // base32, in groups of four
	URI string `json:"uri"` // otpauth:, for a QR code
}

// ConfirmTwoStep proves that an authenticator app has the key that was offered.
type ConfirmTwoStep struct {
	Code string `json:"code"`
}

// RecoveryCodes are shown here and nowhere else; each lets in once.
type RecoveryCodes struct {
	Codes []string `json:"recovery_codes"`
}

// errOnThePage refuses what only a browser that is signed in can do.
var errOnThePage = refuse(ErrConflict, "this needs a session of the page; on the machine itself there is `hearthgate reset-passphrase`")

func (s *Server) getAccount(c echo.Context) error {
	claim, err := s.cfg.Account.Claim()
	if err != nil {
		return err
	}
	two, err := s.cfg.Account.TwoStep()
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, AccountView{
		Claimed: claim.State == account.ClaimDone, ClaimedAt: claim.At.UTC(), ClaimedFrom: claim.From,
		TwoStep: TwoStepView{On: two.On, Since: two.Since.UTC(), RecoveryCodesLeft: two.RecoveryLeft},
	})
}

func (s *Server) setPassphrase(c echo.Context) error {
	var in SetPassphrase
	if err := read(c, &in); err != nil {
		return err
	}
	own, err := s.ownSession(c)
	if err != nil {
		return err
	}
	if err := s.cfg.Account.ChangePassphrase(c.Request().Context(), own, in.Passphrase); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) reset(c echo.Context) error {
	passphrase, err := s.cfg.Account.Reset(c.Request().Context())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, Reset{Passphrase: passphrase})
}

func (s *Server) offerTwoStep(c echo.Context) error {
	own, err := s.ownSession(c)
	if err != nil {
		return err
	}
	offer, err := s.cfg.Account.OfferTwoStep(own)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, OfferedTwoStep{Key: offer.Key, URI: offer.URI})
}

func (s *Server) confirmTwoStep(c echo.Context) error {
	var in ConfirmTwoStep
	if err := read(c, &in); err != nil {
		return err
	}
	own, err := s.ownSession(c)
	if err != nil {
		return err
	}
	codes, err := s.cfg.Account.ConfirmTwoStep(own, in.Code)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, RecoveryCodes{Codes: codes})
}

func (s *Server) endTwoStep(c echo.Context) error {
	if err := s.cfg.Account.EndTwoStep(); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func (s *Server) newRecoveryCodes(c echo.Context) error {
	codes, err := s.cfg.Account.NewRecoveryCodes()
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, RecoveryCodes{Codes: codes})
}
