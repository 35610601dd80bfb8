package connectors

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectedapps/connection"
)

// testCertificate is a client's own certificate and key, in PEM.
func testCertificate(t testing.TB) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

// The certificate is shown to the API that wants it, and to nobody it redirects to.
func TestCertificateStaysAtHome(t *testing.T) {
	shown := map[string]int{}
	serve := func(name string, handle http.HandlerFunc) *httptest.Server {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			shown[name+r.URL.Path] = len(r.TLS.PeerCertificates)
			handle(w, r)
		}))
		server.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
		server.StartTLS()
		t.Cleanup(server.Close)
		return server
	}
	foreign := serve("foreign", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{}`)) })
	home := serve("home", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/x" {
			http.Redirect(w, r, "/near", http.StatusFound)
			return
		}
		http.Redirect(w, r, foreign.URL+"/x", http.StatusFound)
	})
	roots := x509.NewCertPool()
	roots.AddCert(home.Certificate())
	roots.AddCert(foreign.Certificate())
	hc := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}}
	certificate, key := testCertificate(t)
	m := Method{Kind: connection.None, OAuth: &OAuth{TLS: &ClientTLS{Certificate: "{certificate}", Key: "{private_key}", API: true}}}
	s := sessionWith(home.URL, m, map[string]string{"certificate": certificate, "private_key": key})
	if _, err := s.Call(context.Background(), hc, made(Request{Method: "GET", Path: "/x"}), CallInput{}); err != nil {
		t.Fatal(err)
	}
	if shown["home/x"] != 1 || shown["home/near"] != 1 || shown["foreign/x"] != 0 || len(shown) != 3 {
		t.Errorf("%v", shown)
	}
	delete(s.Credential.Fields, "private_key")
	if _, err := s.Call(context.Background(), hc, made(Request{Method: "GET", Path: "/x"}), CallInput{}); err == nil {
		t.Error("the API was asked without the certificate")
	}
}
