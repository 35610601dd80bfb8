package workflows

import (
	"connectedapps/connection"

	"go.temporal.io/sdk/temporal"
)

// Workflow types, as they are registered.
const (
	TypeConnectApp     = "ConnectApp"
	TypeConnectSession = "ConnectSession"
	TypeConnection     = "Connection"
	TypeAuthConfig     = "AuthConfig"
	TypeRunAction      = "RunAction"
	TypeAlert          = "Alert"
	TypeAlertSinks     = "AlertSinks"
	TypeSweepVault     = "SweepVault"
)

// Task queues, the same in every environment's namespace.
const (
	// Queue takes workflows, and activities that speak to Vault and Temporal only.
	Queue = "connected-apps"
	// EgressQueue takes activities that speak to providers.
	EgressQueue = "connected-apps-egress"
)

// Messages to ConnectApp.
const (
	UpdateRequestLink        = "request-link"
	UpdateRequestDevice      = "request-device"
	UpdateBeginAuthorization = "begin-authorization"
	UpdateProvideCredential  = "provide-credential"
	UpdateAnswerStep         = "answer-step"
	UpdateChooseAccount      = "choose-account"
	UpdateTest               = "test"
	UpdateApprove            = "approve"
	UpdateCancel             = "cancel"
	SignalAuthorization      = "authorization-received"
	QueryProgress            = "progress"
	QueryRequest             = "request"
)

// Messages to ConnectSession. It takes UpdateCancel, cancel, and answers QueryDescribe too.
const (
	UpdateClaim = "claim"
	UpdateStart = "start"
)

// Messages to Connection. UpdateTest, test, is shared with ConnectApp.
const (
	UpdateRefresh            = "refresh"
	UpdateReconnect          = "reconnect"
	UpdateCredentials        = "update-credentials"
	UpdatePutToolkit         = "put-toolkit"
	UpdateDeleteToolkit      = "delete-toolkit"
	UpdateSetPolicy          = "set-policy"
	UpdateRename             = "rename"
	UpdatePause              = "pause"
	UpdateResume             = "resume"
	UpdateDisconnect         = "disconnect"
	SignalCredentialRejected = "credential-rejected"
	SignalWorkFailed         = "work-failed"
	SignalContinueAsNew      = "force-continue-as-new"
	QueryDescribe            = "describe"
)

// Messages between ConnectApp and its Connection; not for others.
const (
	signalActivate   = "activate"
	signalRelease    = "release"
	signalActivated  = "connection-activated"
	signalHandedOver = "credential-handed-over"
	signalTried      = "credential-tried"
)

// Messages to Alert; it answers QueryDescribe too.
const (
	UpdateResolve       = "resolve"
	signalAlertNews     = "alert-news"
	signalAlertResolved = "alert-resolved"
)

// Messages to AlertSinks; it answers QueryDescribe too.
const (
	UpdateSinkCreate = "create"
	UpdateSinkRotate = "rotate"
	UpdateSinkDelete = "delete"
	UpdateSinkTest   = "test"
	SignalSinkGone   = "sink-gone"
)

// Messages to AuthConfig; it answers QueryDescribe too.
const (
	UpdateDelete        = "delete"
	UpdateRotate        = "rotate"
	UpdateRetire        = "retire"
	SignalClientRefused = "client-refused"
)

// Typed search attributes. A namespace must have them; a worker that finds one
// missing names the command that creates it.
var (
	AttributeApp         = temporal.NewSearchAttributeKeyKeyword("ConnectionApp")
	AttributeEnvironment = temporal.NewSearchAttributeKeyKeyword("ConnectionEnvironment")
	AttributeStatus      = temporal.NewSearchAttributeKeyKeyword("ConnectionStatus")
	AttributeAuthKind    = temporal.NewSearchAttributeKeyKeyword("ConnectionAuthKind")
	AttributeAuthConfig  = temporal.NewSearchAttributeKeyKeyword("ConnectionAuthConfig")
	AttributeOwner       = temporal.NewSearchAttributeKeyKeyword("ConnectionOwner")
	AttributeName        = temporal.NewSearchAttributeKeyKeyword("ConnectionName")
	AttributeAccount     = temporal.NewSearchAttributeKeyKeyword("ConnectionAccount")
	AttributeAlertKind   = temporal.NewSearchAttributeKeyKeyword("AlertKind")
	AttributeToolkit     = temporal.NewSearchAttributeKeyKeywordList("ConnectionToolkit")
	AttributeLastUsed    = temporal.NewSearchAttributeKeyTime("ConnectionLastUsed")
	AttributeExpires     = temporal.NewSearchAttributeKeyTime("ConnectionExpires")
)

// SearchAttributes lists every attribute with the type it must have: Keyword, KeywordList or Datetime.
func SearchAttributes() map[string]string {
	return map[string]string{
		"ConnectionApp": "Keyword", "ConnectionEnvironment": "Keyword", "ConnectionStatus": "Keyword",
		"ConnectionAuthKind": "Keyword", "ConnectionAuthConfig": "Keyword", "ConnectionOwner": "Keyword",
		"ConnectionName": "Keyword", "ConnectionAccount": "Keyword", "AlertKind": "Keyword",
		"ConnectionToolkit": "KeywordList", "ConnectionLastUsed": "Datetime", "ConnectionExpires": "Datetime",
	}
}

// ConnectWorkflowID is the ID of the connect of a connection; there is one at a time.
func ConnectWorkflowID(id connection.ID) string { return "connect/" + id.String() }

// ConnectSessionWorkflowID is the ID of a connect session.
func ConnectSessionWorkflowID(environment, session string) string {
	return "connect-session/" + environment + "/" + session
}

// ConnectionWorkflowID is the ID of a connection's entity.
func ConnectionWorkflowID(id connection.ID) string { return "connection/" + id.String() }

// AuthConfigWorkflowID is the ID of an auth config's entity.
func AuthConfigWorkflowID(environment, app, name string) string {
	return "auth-config/" + environment + "/" + app + "/" + name
}

// AlertSinksWorkflowID is the ID of the one entity that keeps an environment's alert sinks.
func AlertSinksWorkflowID(environment string) string { return "alert-sinks/" + environment }
