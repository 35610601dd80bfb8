package outbound

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestWithCertificate(t *testing.T) {
	var seen []int
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, len(r.TLS.PeerCertificates))
		_, _ = io.WriteString(w, strings.Repeat("x", 100))
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	trusting := func(policy Policy) *http.Client {
		hc := New(policy)
		hc.Transport.(*bounded).next.(*http.Transport).TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
		return hc
	}
	plain := trusting(Policy{AllowPrivate: loopback})
	certified := WithCertificate(plain, selfSigned(t))
	for _, hc := range []*http.Client{plain, certified} {
		response, err := hc.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	if len(seen) != 2 || seen[0] != 0 || seen[1] != 1 {
		t.Errorf("certificates seen: %v", seen)
	}
	if !certified.Transport.(*bounded).next.(*http.Transport).DisableKeepAlives || plain.Transport.(*bounded).next.(*http.Transport).DisableKeepAlives {
		t.Error("connections with a certificate are kept open, or others are not")
	}
	if certified.Timeout != plain.Timeout || certified.CheckRedirect == nil {
		t.Error("time-out or redirect rule is lost")
	}
	// The guards hold with a certificate as they do without.
	if _, err := WithCertificate(trusting(Policy{}), selfSigned(t)).Get(server.URL); !errors.Is(err, ErrAddress) {
		t.Errorf("the address guard: %v", err)
	}
	if _, err := WithCertificate(New(Policy{}), selfSigned(t)).Get("http://x.example"); !errors.Is(err, ErrPlainHTTP) {
		t.Errorf("plain http: %v", err)
	}
	response, err := WithCertificate(trusting(Policy{AllowPrivate: loopback, MaxBody: 10}), selfSigned(t)).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(response.Body); !errors.Is(err, ErrTooLarge) {
		t.Errorf("the bound: %v", err)
	}
	_ = response.Body.Close()
	// A transport of another make would leave the certificate out.
	if _, err := WithCertificate(&http.Client{Transport: opaque{}}, selfSigned(t)).Get(server.URL); !errors.Is(err, ErrCertificate) {
		t.Errorf("another transport: %v", err)
	}
}

type opaque struct{}

func (opaque) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("sent") }
