package outbound

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

var (
	// ErrPlainHTTP is the refusal of a URL that is not https.
	ErrPlainHTTP = errors.New("plain http is not allowed")
	// ErrTooLarge ends the reading of an answer that is larger than allowed.
	ErrTooLarge = errors.New("the answer is larger than allowed")
	// ErrIdle ends the reading of an answer that stopped coming.
	ErrIdle = errors.New("the answer stopped coming")
)

// bounded checks each hop's URL and bounds each answer's body.
type bounded struct {
	next    http.RoundTripper
	plain   bool
	idle    time.Duration
	maxBody int64
}

// RoundTrip is http.RoundTripper's.
func (b *bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && !b.plain && !Loopback(r.URL.Hostname()) {
		closeBody(r)
		return nil, ErrPlainHTTP
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	response, err := b.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel(nil)
		return nil, err
	}
	response.Body = &boundedBody{
		body: response.Body, left: b.maxBody, ctx: ctx, cancel: cancel, idle: b.idle,
		timer: time.AfterFunc(b.idle, func() { cancel(ErrIdle) }),
	}
	return response, nil
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// Loopback reports whether a URL's host is this machine: "localhost" or a
// literal loopback address. What a name resolves to is checked when connecting.
func Loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// boundedBody reads at most as many bytes as are left, and waits no longer
// than idle for the next ones.
type boundedBody struct {
	body   io.ReadCloser
	left   int64
	ctx    context.Context // lives exactly as long as the body
	cancel context.CancelCauseFunc
	idle   time.Duration
	timer  *time.Timer
}

// Read is io.Reader's.
func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	b.timer.Reset(b.idle)
	defer b.timer.Stop()
	// One byte more than allowed tells a body that is too large from one that just fits.
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, ErrTooLarge
	}
	if err != nil && !errors.Is(err, io.EOF) && errors.Is(context.Cause(b.ctx), ErrIdle) {
		err = ErrIdle
	}
	return n, err
}

// Close is io.Closer's.
func (b *boundedBody) Close() error {
	b.timer.Stop()
	err := b.body.Close()
	b.cancel(nil)
	return err
}
