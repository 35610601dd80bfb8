package connectors

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"connectedapps/connection"
)

// received is one request as an authorization server got it.
type received struct {
	method, path string
	header       http.Header
	query, form  url.Values
	raw          string
	peers        []*x509.Certificate
}

// authServer is a real HTTP server that records what it is asked.
type authServer struct {
	*httptest.Server
	mu  sync.Mutex
	got []received
}

// serve starts a server whose answers depend on the request and on how many came before.
func serve(t *testing.T, answer func(n int, r received, w http.ResponseWriter)) *authServer {
	t.Helper()
	s := &authServer{}
	s.Server = httptest.NewServer(s.recording(answer))
	t.Cleanup(s.Close)
	return s
}

func (s *authServer) recording(answer func(n int, r received, w http.ResponseWriter)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(raw))
		got := received{method: r.Method, path: r.URL.Path, header: r.Header, query: r.URL.Query(), form: form, raw: string(raw)}
		if r.TLS != nil {
			got.peers = r.TLS.PeerCertificates
		}
		s.mu.Lock()
		n := len(s.got)
		s.got = append(s.got, got)
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		answer(n, got, w)
	})
}

// always answers the same.
func always(status int, body string) func(int, received, http.ResponseWriter) {
	return func(_ int, _ received, w http.ResponseWriter) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// inTurn answers one after another; what comes after the last is refused.
func inTurn(bodies ...string) func(int, received, http.ResponseWriter) {
	return func(n int, _ received, w http.ResponseWriter) {
		if n >= len(bodies) {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		status, body := http.StatusOK, bodies[n]
		switch {
		case body == "503":
			status, body = http.StatusServiceUnavailable, ""
		case body == "revoked":
			status, body = http.StatusBadRequest, `{"error":"invalid_grant"}`
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// fake is a method of an app that exists for one test. rest is what follows its kind, indented by four.
func fake(t *testing.T, kind, rest string) *Method {
	t.Helper()
	text := `id: fake
name: Fake
base_url: "{+base_url}"
probe: {path: /me}
inputs: [{name: base_url, format: url, secret: false}]
actions: []
auth:
  - id: m
    kind: ` + kind + `
    title: M
` + rest
	apps, defects := ValidateDir(write(t, t.TempDir(), "fake.yaml", text))
	if len(defects) > 0 {
		t.Fatal(defects)
	}
	m, err := apps[0].Method("m")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// at are the values of a connection with a server.
func at(s *authServer, more ...string) map[string]string {
	values := map[string]string{"base_url": s.URL}
	for i := 0; i+1 < len(more); i += 2 {
		values[more[i]] = more[i+1]
	}
	return values
}

func secretsOf(pairs ...string) map[string]connection.Secret {
	out := map[string]connection.Secret{}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i]] = connection.NewSecret(pairs[i+1])
	}
	return out
}

// keys are made once: RSA ones take a while.
var keys = sync.OnceValue(func() (out struct {
	rsa     *rsa.PrivateKey
	p256    *ecdsa.PrivateKey
	p384    *ecdsa.PrivateKey
	ed25519 ed25519.PrivateKey
}) {
	out.rsa, _ = rsa.GenerateKey(rand.Reader, 2048)
	out.p256, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	out.p384, _ = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, out.ed25519, _ = ed25519.GenerateKey(rand.Reader)
	return out
})

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs8(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("PRIVATE KEY", der)
}

// clientCertificate is a self-signed certificate with its key, in PEM.
func clientCertificate(t *testing.T, name string) (certificate, key string) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, keys().p256.Public(), keys().p256)
	if err != nil {
		t.Fatal(err)
	}
	return pemOf("CERTIFICATE", der), pkcs8(t, keys().p256)
}

// serveTLS is a server that demands a client certificate.
func serveTLS(t *testing.T, answer func(int, received, http.ResponseWriter)) *authServer {
	t.Helper()
	s := &authServer{}
	s.Server = httptest.NewUnstartedServer(s.recording(answer))
	s.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	s.Config.ErrorLog = nil
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
