package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

// everywhere allows every address there is: the guard switched off.
var everywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// A URL with an address of any class that is not the public internet is refused before anything is connected to.
// Without the guard each of them would be.
func TestEveryClassOfAddress(t *testing.T) {
	classes := map[string][]string{
		"private":           {"10.0.0.1", "172.16.0.1", "192.168.0.1", "[fd00::1]"},
		"carrier-grade NAT": {"100.64.0.1"},
		"loopback":          {"127.0.0.1", "127.255.255.254", "[::1]"},
		"link-local":        {"169.254.1.1", "[fe80::1]"},
		"metadata":          {"169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "[fd00:ec2::254]"},
		"multicast":         {"224.0.0.1", "239.255.255.250", "[ff02::1]"},
		"this network":      {"0.0.0.0", "[::]"},
		"NAT64":             {"[64:ff9b::a00:1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::1]"},
		"6to4":              {"[2002:7f00:1::]", "[2002:a00:1::1]"},
		"Teredo":            {"[2001:0:4136:e378:8000:63bf:80ff:fffe]"},
		"IPv4-mapped":       {"[::ffff:127.0.0.1]", "[::ffff:a00:1]"},
		"IPv4-compatible":   {"[::7f00:1]"},
		"reserved":          {"240.0.0.1", "255.255.255.255", "192.0.2.1", "[2001:db8::1]"},
	}
	client, open := New(Policy{AllowHTTP: true, Timeout: 5 * time.Second}), guard(everywhere)
	for class, hosts := range classes {
		for _, host := range hosts {
			response, err := client.Get("http://" + host + ":9/")
			if err == nil {
				_ = response.Body.Close()
			}
			if !errors.Is(err, ErrAddress) {
				t.Errorf("%s, %s: %v", class, host, err)
			}
			if err := open("tcp", host+":9", nil); err != nil {
				t.Errorf("%s, %s: refused without the guard too, so this test proves nothing: %v", class, host, err)
			}
		}
	}
}

// A certificate that nobody vouches for, or of another host, gets no request.
func TestTLSIsVerified(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	trusting := func(host string) *http.Client {
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		client := loopback(Policy{})
		client.Transport.(*bounded).next.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots, ServerName: host, MinVersion: tls.VersionTLS12}
		return client
	}
	for name, client := range map[string]*http.Client{"an unknown authority": loopback(Policy{}), "another host": trusting("provider.invalid")} {
		if response, err := client.Get(server.URL); err == nil {
			_ = response.Body.Close()
			t.Errorf("%s: %s", name, response.Status)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
	response, err := trusting("example.com").Get(server.URL)
	if err != nil {
		t.Fatal("the control is refused, so this test proves nothing:", err)
	}
	_ = response.Body.Close()
	if asked.Load() != 1 {
		t.Error("the control does not reach the server")
	}
}
