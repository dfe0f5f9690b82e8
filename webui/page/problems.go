package page

// What can be wrong with a form, as keys of the catalogues. The server maps errors to these with errors.Is and never shows
// an error's own text. A key with placeholders says which; they come as name, value pairs in the model's ProblemArgs or,
// for {wait}, from its Wait.
const (
	ProblemTooShort   = "problem.passphrase_too_short"
	ProblemTooLong    = "problem.passphrase_too_long"
	ProblemObvious    = "problem.passphrase_obvious"    // no nearer reason
	ProblemProduct    = "problem.passphrase_product"    // it holds the name of the product or of Home Assistant
	ProblemRepeated   = "problem.passphrase_repeated"   // one character or a short run, over and over
	ProblemSequence   = "problem.passphrase_sequence"   // 123456..., qwertz...
	ProblemUnreadable = "problem.passphrase_unreadable" // not UTF-8, or control characters

	ProblemPassphrase  = "problem.passphrase_wrong"
	ProblemSetupCode   = "problem.setup_code_wrong"
	ProblemWait        = "problem.wait" // {wait}; shown by itself when a model's Wait is not zero and Problem is empty
	ProblemBusy        = "problem.busy"
	ProblemCode        = "problem.code_wrong" // the authenticator's
	ProblemEitherCode  = "problem.either_code_wrong"
	ProblemRecovery    = "problem.recovery_wrong" // unknown or used
	ProblemClock       = "problem.clock"          // a code cannot be checked; a recovery code can
	ProblemPending     = "problem.pending_gone"   // the first step is too long ago
	ProblemTwoStepGone = "problem.two_step_gone"  // the key that was being set up is forgotten

	ProblemNameEmpty    = "problem.name_empty"
	ProblemNameTaken    = "problem.name_taken" // {name}
	ProblemNameTooLong  = "problem.name_too_long"
	ProblemNameInvalid  = "problem.name_invalid" // control characters
	ProblemExpiry       = "problem.expiry_unreadable"
	ProblemExpiryPast   = "problem.expiry_past"
	ProblemNoAddress    = "problem.no_address" // the tunnel network is full
	ProblemNoEndpoint   = "problem.no_endpoint"
	ProblemExpired      = "problem.phone_expired" // it needs a new date before it can be resumed
	ProblemNoService    = "problem.service_unknown"
	ProblemNoChoice     = "problem.no_choice" // no service was ticked
	ProblemEndpoint     = "problem.endpoint_unreadable"
	ProblemEndpointLong = "problem.endpoint_too_long"

	ProblemServiceName   = "problem.service_name"
	ProblemServiceTaken  = "problem.service_taken" // {name}
	ProblemServiceTarget = "problem.service_target"
	ProblemServiceOwn    = "problem.service_own" // it leads back to this device
	ProblemServicePort   = "problem.service_port"
	ProblemPortTaken     = "problem.service_port_taken"

	ProblemTokenName  = "problem.token_name"
	ProblemTokenTaken = "problem.token_taken"
	ProblemTokenScope = "problem.token_scope"
	ProblemTokenMany  = "problem.token_too_many"
	ProblemInvite     = "problem.invite"      // not the invite of a witness
	ProblemWitnesses  = "problem.witnesses"   // there are as many as can be
	ProblemWebhook    = "problem.webhook"     // no http or https address
	ProblemMQTT       = "problem.mqtt"        // no mqtt or mqtts address
	ProblemHomeToken  = "problem.home_token"  // no token of Home Assistant
	ProblemNeedsToken = "problem.needs_token" // telling Home Assistant needs one
	ProblemNames      = "problem.proxy_names" // too many, or none that could be one
	ProblemMapping    = "problem.mapping"     // the router refused, or does not answer
	ProblemSure       = "problem.sure"        // the box was not ticked
	ProblemRefused    = "problem.refused"     // anything else
)

// Notices: sentences for Frame.Notices.
const (
	NoticeAddressSaved    = "notice.address_saved"
	NoticePhoneRemoved    = "notice.phone_removed" // {name}
	NoticePhoneRenamed    = "notice.phone_renamed" // {name}
	NoticePhonePaused     = "notice.phone_paused"  // {name}
	NoticePhoneResumed    = "notice.phone_resumed" // {name}
	NoticeExpirySaved     = "notice.expiry_saved"
	NoticeServicesSaved   = "notice.services_saved"
	NoticeCheckStarted    = "notice.check_started"
	NoticeCheckNone       = "notice.check_none" // nothing can look from outside
	NoticeMappingGone     = "notice.mapping_gone"
	NoticeMappingStays    = "notice.mapping_stays"
	NoticeKnownSaved      = "notice.known_saved"     // {port}
	NoticeKnownTaken      = "notice.known_taken"     // {port}
	NoticeWitnessAdded    = "notice.witness_added"   // {name}
	NoticeWitnessRemoved  = "notice.witness_removed" // {name}
	NoticeWatchSaved      = "notice.watch_saved"
	NoticeTargetSaved     = "notice.target_saved"
	NoticePassphraseSaved = "notice.passphrase_saved"
	NoticeTwoStepOff      = "notice.two_step_off"
	NoticeSessionEnded    = "notice.session_ended"
	NoticeSessionsEnded   = "notice.sessions_ended"
	NoticeTokenRemoved    = "notice.token_removed"   // {name}
	NoticeServiceAdded    = "notice.service_added"   // {name}
	NoticeServiceRemoved  = "notice.service_removed" // {name}
	NoticeAppearanceSaved = "notice.appearance_saved"
	NoticeRecoveryLow     = "notice.recovery_low" // {count}
)

// Failures: key prefixes for Failure. Each has a .title and a .text.
const (
	FailureNotFound   = "failure.not_found"
	FailureNoPhone    = "failure.no_phone"
	FailureWrongHost  = "failure.wrong_host" // {host}; Links holds the addresses that are right
	FailureTooLarge   = "failure.too_large"
	FailureMethod     = "failure.method"
	FailureForm       = "failure.bad_request" // a form or an address that cannot be read
	FailureBusy       = "failure.busy"
	FailureInternal   = "failure.internal"
	FailureNoCode     = "failure.no_code" // the code, or its file, is gone
	FailureNoMapping  = "failure.no_mapping"
	FailureNoEndpoint = "failure.no_endpoint"
	FailurePortal     = "failure.portal" // only GET / inside the tunnel
	FailureStranger   = "failure.stranger"
)
