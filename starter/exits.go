package main

import (
	"fmt"
	"strings"

	"connectedapps/connection"
)

// Exit codes are contract: scripts decide by them.
const (
	exitOK          = 0
	exitInternal    = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitRefused     = 4
	exitPerson      = 5
	exitUnavailable = 6
	exitConflict    = 7
	exitInterrupted = 130
)

// exits is the one table of exit codes: what they mean, and which error types end with them.
var exits = []struct {
	code    int
	meaning string
	types   []string
}{
	{exitOK, "it worked", nil},
	{exitInternal, "a defect; the logs say more", []string{connection.ErrInternal}},
	{exitUsage, "the input is not valid; nothing was started", []string{connection.ErrInvalidInput, connection.ErrInvalidArguments,
		connection.ErrAuthKindNotOffered, connection.ErrActionNotInToolkit}},
	{exitNotFound, "there is no such thing", []string{connection.ErrUnknownApp, connection.ErrUnknownEnvironment, connection.ErrUnknownAction,
		connection.ErrConnectionNotFound, connection.ErrConnectSessionNotFound, connection.ErrAuthConfigNotFound, connection.ErrToolkitNotFound, connection.ErrSessionClosed,
		connection.ErrSinkNotFound, connection.ErrAlertNotFound, connection.ErrTokenNotFound}},
	{exitRefused, "the app refused, or the test failed, or you may not do this", []string{connection.ErrTestFailed, connection.ErrIdentityChanged, connection.ErrAuthorizationFailed,
		connection.ErrRejectedInput, connection.ErrScopeMissing, connection.ErrClientMisconfigured,
		connection.ErrNotSignedIn, connection.ErrNotAllowed}},
	{exitPerson, "a person must act: reconnect, resume, or look what happened", []string{connection.ErrReconnectRequired,
		connection.ErrConnectionPaused, connection.ErrConnectionPending, connection.ErrOutcomeUnknown, connection.ErrLinkInvalid, connection.ErrPayloadUnreadable}},
	{exitUnavailable, "Temporal, Vault or the app is away; try again later", []string{connection.ErrTemporalUnavailable,
		connection.ErrVaultUnavailable, connection.ErrProviderUnavailable, connection.ErrRateLimited, connection.ErrLookAgain}},
	{exitConflict, "the name is taken, or still in use", []string{connection.ErrConnectionIDTaken, connection.ErrAuthConfigTaken, connection.ErrAuthConfigInUse, connection.ErrSinkTaken, connection.ErrTokenTaken}},
	{exitInterrupted, "interrupted; what was started goes on", nil},
}

// exitOf is the one translation of error types into exit codes.
func exitOf(kind string) int {
	for _, exit := range exits {
		for _, known := range exit.types {
			if known == kind {
				return exit.code
			}
		}
	}
	return exitInternal
}

func exitHelp() string {
	var text strings.Builder
	text.WriteString("Exit codes:\n")
	for _, exit := range exits {
		fmt.Fprintf(&text, "  %3d  %s\n", exit.code, exit.meaning)
	}
	return strings.TrimSuffix(text.String(), "\n")
}
