package connectors

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"connectedapps/connection"
	"connectedapps/connectors/outbound"
)

// networkProblem says why there was no answer. The error's own text is not
// shown: it holds the URL, and with it keys of the query.
func networkProblem(whom string, err error) *connection.Problem {
	var (
		dns         *net.DNSError
		dial        *net.OpError
		timeout     net.Error
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
	)
	switch {
	case errors.Is(err, outbound.ErrAddress):
		p := rejectedInput(whom+" is at an address that this deployment does not reach", 0)
		p.Remedy = "an operator can allow the address range"
		return p
	case errors.Is(err, outbound.ErrPlainHTTP):
		p := rejectedInput(whom+" would be asked over plain http, which is not allowed", 0)
		p.Remedy = "use an https address"
		return p
	case errors.Is(err, outbound.ErrRedirects), errors.Is(err, outbound.ErrRedirectBody):
		return rejectedInput(whom+" redirects where the request may not go", 0)
	case errors.Is(err, outbound.ErrTooLarge), errors.Is(err, errTokenAnswerTooLarge):
		return rejectedInput(whom+" answered with more than is allowed", 0)
	case errors.Is(err, outbound.ErrCertificate):
		return connection.Internal("the client certificate for " + whom)
	case errors.Is(err, errStale):
		return connection.ProviderUnavailable(whom+" accepts the password and keeps asking for it anew", 0)
	case errors.Is(err, errSigning):
		return unauthorized("the request to " + whom + " cannot be signed with the credential stored")
	case errors.Is(err, context.Canceled):
		return connection.ProviderUnavailable("the request to "+whom+" was cancelled", 0)
	case errors.Is(err, outbound.ErrIdle), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return connection.ProviderUnavailable(whom+" did not answer in time", 0)
	case errors.As(err, &certificate), errors.As(err, &authority):
		return connection.ProviderUnavailable(whom+" has no certificate that can be trusted", 0)
	case errors.As(err, &dns):
		return connection.ProviderUnavailable(whom+" has no address: its name cannot be resolved", 0)
	case errors.As(err, &dial) && dial.Op == "dial":
		return connection.ProviderUnavailable(whom+" cannot be connected to", 0)
	default:
		return connection.ProviderUnavailable("the connection to "+whom+" broke", 0)
	}
}
