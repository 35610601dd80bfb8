package outbound

import (
	"net"
	"net/http"
	"net/netip"
	"time"
)

const (
	// DefaultTimeout bounds one request in all, redirects and body included.
	DefaultTimeout = 60 * time.Second
	// DefaultFirstByte bounds the wait for an answer's headers.
	DefaultFirstByte = 30 * time.Second
	// DefaultIdle bounds the wait for each next piece of a body.
	DefaultIdle = 15 * time.Second
	// DefaultMaxBody bounds an answer after decompression, in bytes.
	DefaultMaxBody = 8 << 20

	// connectTimeout bounds name resolution and connecting; more is a host that is not there.
	connectTimeout = 10 * time.Second
	// maxHeader bounds an answer's headers, in bytes. The largest honest ones,
	// with content security policies, stay under 64 KiB.
	maxHeader = 256 << 10
	// idleConnections per host are kept for the next call.
	idleConnections = 16
)

// Policy says where requests may go and how much they may take. The zero value
// reaches the public internet by https, and nothing else.
type Policy struct {
	// AllowPrivate are address ranges that would be refused otherwise, such as
	// 127.0.0.0/8 for a development stack. They are taken as they are: allowing
	// 0.0.0.0/0 allows metadata services too.
	AllowPrivate []netip.Prefix
	// AllowHTTP permits plain http to any host. Without it, only to loopback,
	// where AllowPrivate must permit that too.
	AllowHTTP bool
	// Timeout bounds one request in all; 0 is [DefaultTimeout].
	Timeout time.Duration
	// FirstByte bounds the wait for headers; 0 is [DefaultFirstByte].
	FirstByte time.Duration
	// Idle bounds the wait between two pieces of a body; 0 is [DefaultIdle].
	Idle time.Duration
	// MaxBody bounds an answer after decompression, in bytes; 0 is [DefaultMaxBody].
	MaxBody int64
}

// New makes the client. It is safe for concurrent use and should be shared:
// it keeps connections open. Its errors wrap [ErrAddress], [ErrPlainHTTP],
// [ErrTooLarge], [ErrIdle], [ErrRedirects] and [ErrRedirectBody], where one of
// them is the cause.
func New(policy Policy) *http.Client {
	return newClient(policy, nil)
}

// newClient takes the resolver too, so that tests can rebind names.
func newClient(policy Policy, resolver *net.Resolver) *http.Client {
	dialer := &net.Dialer{Timeout: connectTimeout, Resolver: resolver, Control: guard(policy.AllowPrivate)}
	transport := &http.Transport{
		Proxy:                  nil, // a proxy would connect to addresses that nobody checks
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    connectTimeout,
		ResponseHeaderTimeout:  orDefault(policy.FirstByte, DefaultFirstByte),
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConnsPerHost:    idleConnections,
		IdleConnTimeout:        90 * time.Second, // as net/http's own default transport
	}
	return &http.Client{
		Transport: &bounded{
			next: transport, plain: policy.AllowHTTP,
			idle: orDefault(policy.Idle, DefaultIdle), maxBody: orDefault(policy.MaxBody, DefaultMaxBody),
		},
		CheckRedirect: checkRedirect,
		Timeout:       orDefault(policy.Timeout, DefaultTimeout),
	}
}

func orDefault[T int64 | time.Duration](value, otherwise T) T {
	if value == 0 {
		return otherwise
	}
	return value
}
