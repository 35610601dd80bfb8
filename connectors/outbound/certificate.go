package outbound

import (
	"crypto/tls"
	"errors"
	"net/http"
)

// ErrCertificate is the refusal to send a request without the certificate it was meant to carry.
var ErrCertificate = errors.New("this client cannot present a certificate")

// WithCertificate is a client that presents a certificate (RFC 8705) and has
// every guard and bound of the one given. It keeps no connection open: each
// would belong to one certificate, and nobody would ever close it.
func WithCertificate(hc *http.Client, certificate tls.Certificate) *http.Client {
	out := *hc
	switch transport := hc.Transport.(type) {
	case *bounded:
		guarded := *transport
		guarded.next = presenting(transport.next, certificate)
		out.Transport = &guarded
	default:
		out.Transport = presenting(transport, certificate)
	}
	return &out
}

// presenting is the transport with the certificate. One of an unknown make is
// replaced by one that refuses: a request must not go out without it unnoticed.
func presenting(next http.RoundTripper, certificate tls.Certificate) http.RoundTripper {
	plain, ok := next.(*http.Transport)
	if !ok {
		return refusing{}
	}
	out := plain.Clone()
	out.DisableKeepAlives = true
	if out.TLSClientConfig == nil {
		out.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	out.TLSClientConfig.Certificates = []tls.Certificate{certificate}
	return out
}

type refusing struct{}

// RoundTrip is http.RoundTripper's.
func (refusing) RoundTrip(r *http.Request) (*http.Response, error) {
	closeBody(r)
	return nil, ErrCertificate
}
