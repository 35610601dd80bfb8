package outbound

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// slack is more than both sockets of an attack hold, whose buffers are made small: what
	// an attacker got rid of beyond it was read.
	slack, socketBuffer = 1 << 20, 32 << 10
	// promptly is long for each case on a busy machine, and short beside whatever else would
	// end it: the defaults of the policy, and the test's own patience.
	promptly, patience = 10 * time.Second, 15 * time.Second
)

// attack is a server that answers every connection by writing pieces until it is cut off.
type attack struct {
	url     string
	written atomic.Int64  // what it got rid of
	cut     chan struct{} // one for each connection that was ended from the other side
}

func attacker(t *testing.T, head, piece string, pause time.Duration) *attack {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	a := &attack{url: "http://" + listener.Addr().String(), cut: make(chan struct{}, 16)}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close(); a.cut <- struct{}{} }()
				err := conn.(*net.TCPConn).SetWriteBuffer(socketBuffer)
				if err == nil { // an answer that nobody asked for yet is no answer
					_, err = conn.Read(make([]byte, 1<<12))
				}
				if err == nil {
					_, err = io.WriteString(conn, head)
				}
				for err == nil {
					var n int
					n, err = io.WriteString(conn, piece)
					a.written.Add(int64(n))
					time.Sleep(pause)
				}
			}()
		}
	}()
	return a
}

// narrow is the product's client, but that the kernel takes in little that it does not read.
func narrow(t *testing.T, policy Policy) *http.Client {
	t.Helper()
	client := loopback(policy)
	transport := client.Transport.(*bounded).next.(*http.Transport)
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err == nil {
			err = conn.(*net.TCPConn).SetReadBuffer(socketBuffer)
		}
		return conn, err
	}
	return client
}

// Answers without an end: of headers, of headers that come byte by byte, of interim answers, of a body, and of a body
// that comes byte by byte and so never stops coming. Each ends in an error by the bound that is meant for it and no
// later one, so that a bound that is gone is seen: no more was read than it allows, or it did not take longer.
func TestEndlessAnswers(t *testing.T) {
	const head, chunked, drip, short = "HTTP/1.1 200 OK\r\n", "Transfer-Encoding: chunked\r\n\r\n", 5 * time.Millisecond, 300 * time.Millisecond
	long := strings.Repeat("x", 1000)
	for name, test := range map[string]struct {
		head, piece string
		pause       time.Duration
		policy      Policy
		most        int64 // bytes that may be read
		want        error // nil is net/http's own
	}{
		"headers":             {head, "X-Attack: " + long + "\r\n", 0, Policy{}, maxHeader, nil},
		"one header":          {head + "X-Attack: ", "xxxxxxxxxxxxxxxx", 0, Policy{}, maxHeader, nil},
		"interim answers":     {"", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 0, Policy{}, maxHeader, nil},
		"dripping headers":    {head + "X-Attack: ", "x", drip, Policy{FirstByte: short}, 0, nil},
		"dripping status":     {"HTTP/1.1 200 ", "x", drip, Policy{FirstByte: short}, 0, nil},
		"a body":              {head + "\r\n", long, 0, Policy{MaxBody: 1 << 16}, 1 << 16, ErrTooLarge},
		"chunks of one byte":  {head + chunked, "1\r\nx\r\n", 0, Policy{MaxBody: 1 << 12}, 6 << 12, ErrTooLarge},
		"a dripping body":     {head + "\r\n", "x", drip, Policy{Timeout: short}, 0, context.DeadlineExceeded},
		"a chunk with a name": {head + chunked + "1;x=", "xxxxxxxxxxxxxxxx", 0, Policy{}, 0, nil}, // net/http bounds a line
	} {
		t.Run(name, func(t *testing.T) {
			attack := attacker(t, test.head, test.piece, test.pause)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, attack.url, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			response, err := narrow(t, test.policy).Do(request)
			if err == nil {
				_, err = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
			took := time.Since(began)
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("it ends with %v, want %v", err, test.want)
			}
			if took > promptly {
				t.Errorf("it took %s", took)
			}
			select {
			case <-attack.cut:
			case <-time.After(promptly):
				t.Error("the connection is left open")
			}
			if n := attack.written.Load(); n == 0 || n > test.most+slack {
				t.Errorf("%d bytes were sent, and %d may be read", n, test.most)
			}
		})
	}
}
