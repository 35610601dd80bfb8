package outbound

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestClassifier(t *testing.T) {
	check := classifier(nil)
	for addr, why := range map[string]string{
		"0.0.0.0": "this network", "10.1.2.3": "private", "172.16.0.1": "private", "172.31.255.255": "private", "192.168.1.1": "private",
		"100.64.0.1": "shared", "100.100.100.200": "metadata of Alibaba Cloud", "127.0.0.1": "loopback", "127.255.255.254": "loopback",
		"169.254.169.254": "metadata", "169.254.0.1": "link-local", "192.0.0.192": "metadata of Oracle Cloud", "192.0.2.1": "documentation",
		"198.18.0.1": "benchmarking", "198.51.100.1": "documentation", "203.0.113.1": "documentation", "224.0.0.1": "multicast",
		"239.255.255.250": "multicast", "240.0.0.1": "reserved", "255.255.255.255": "broadcast", "168.63.129.16": "metadata of Azure",
		"::": "unspecified", "::1": "loopback", "::ffff:127.0.0.1": "mapped loopback", "::ffff:8.8.8.8": "mapped", "::127.0.0.1": "compatible",
		"64:ff9b::7f00:1": "NAT64", "64:ff9b::808:808": "NAT64", "64:ff9b:1::1": "local NAT64", "2002:7f00:1::": "6to4", "2002:0808:0808::1": "6to4",
		"2001::1": "Teredo", "2001:0:4136:e378:8000:63bf:3fff:fdd2": "Teredo", "2001:db8::1": "documentation", "3fff::1": "documentation",
		"fc00::1": "unique local", "fd00:ec2::254": "metadata of AWS", "fe80::1": "link-local", "fe80::1%eth0": "link-local with a zone",
		"fec0::1": "site-local", "ff02::1": "multicast", "100::1": "discard", "4000::1": "not global",
	} {
		if check(netip.MustParseAddr(addr)) == nil {
			t.Errorf("%s (%s) is reached", addr, why)
		}
	}
	for _, addr := range []string{"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.255.255", "100.128.0.0", "192.169.0.1", "2606:4700::1111", "2a00:1450:4001::1"} {
		if err := check(netip.MustParseAddr(addr)); err != nil {
			t.Errorf("%s is refused: %v", addr, err)
		}
	}
	allowing := classifier([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd12::/16")})
	for addr, allowed := range map[string]bool{"10.9.9.9": true, "fd12::1": true, "192.168.0.1": false, "fd13::1": false, "127.0.0.1": false} {
		if got := allowing(netip.MustParseAddr(addr)) == nil; got != allowed {
			t.Errorf("%s: %v", addr, got)
		}
	}
}

// sink counts the connections it accepts, so that "no byte arrives" can be shown.
func sink(t *testing.T, host string) (port string, connections *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	connections = new(atomic.Int32)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close() })
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port, connections
}

// However a host is written, nothing reaches loopback, and it is the guard that says so. With every address allowed the
// same spelling does reach it, but for those of digits and dots alone: Go's resolver takes these for no name and asks
// nobody. The C library would take each of them for 127.0.0.1, and so does the resolver here whatever it is asked.
func TestNoByteReachesTheSink(t *testing.T) {
	port, connections := sink(t, "")
	ask := func(client *http.Client, host string) error {
		response, err := client.Get("http://" + host + ":" + port + "/")
		if err == nil {
			_ = response.Body.Close()
		}
		return err
	}
	guarded := newClient(Policy{AllowHTTP: true, Timeout: 5 * time.Second}, loopbackResolver())
	open := newClient(Policy{AllowHTTP: true, AllowPrivate: everywhere, Timeout: 5 * time.Second}, loopbackResolver())
	for _, host := range []string{"127.0.0.1", "127.0.0.2", "0.0.0.0", "localhost", "localhost.", "LOCALHOST", "0x7f.0.0.1", "0x7f000001",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::1]"} {
		if err := ask(guarded, host); !errors.Is(err, ErrAddress) || connections.Load() != 0 {
			t.Fatalf("%s: %v, %d connections", host, err, connections.Load())
		}
		err := ask(open, host)
		if connections.Swap(0) == 0 && (host != "[::1]" || ipv6(t)) {
			t.Errorf("%s does not reach the sink when it is allowed, so this test proves nothing: %v", host, err)
		}
	}
	for _, host := range []string{"127.1", "0177.0.0.1", "2130706433", "127.0.0.1."} {
		var unknown *net.DNSError
		if err := ask(guarded, host); !errors.Is(err, ErrAddress) && (!errors.As(err, &unknown) || !unknown.IsNotFound) || connections.Load() != 0 {
			t.Errorf("%s: %v, %d connections", host, err, connections.Load())
		}
	}
}

// ipv6 reports whether this machine has a loopback address of IPv6.
func ipv6(t *testing.T) bool {
	t.Helper()
	listener, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Log("not shown for ::1, which this machine does not have")
		return false
	}
	return listener.Close() == nil
}

// loopbackResolver answers every name with 127.0.0.1.
func loopbackResolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go answerDNS(server, [4]byte{127, 0, 0, 1})
		return client, nil
	}}
}

// A name that is public when somebody looks and private when it is connected to.
func TestRebinding(t *testing.T) {
	port, connections := sink(t, "127.0.0.1")
	resolver := loopbackResolver()
	_, err := newClient(Policy{AllowHTTP: true, Timeout: 5 * time.Second}, resolver).Get("http://rebound.example:" + port + "/")
	if !errors.Is(err, ErrAddress) || connections.Load() != 0 {
		t.Errorf("%v, %d connections", err, connections.Load())
	}
	open := newClient(Policy{AllowHTTP: true, AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, resolver)
	if response, err := open.Get("http://rebound.example:" + port + "/"); err == nil {
		_ = response.Body.Close()
	}
	if connections.Load() == 0 {
		t.Error("the control does not reach the sink, so this test proves nothing")
	}
}

// answerDNS answers one query, framed as on TCP, with an A record.
func answerDNS(conn net.Conn, address [4]byte) {
	defer func() { _ = conn.Close() }()
	buffer := make([]byte, 1024)
	n, err := conn.Read(buffer)
	if err != nil {
		return
	}
	if n == 2 { // the length came alone
		if n, err = conn.Read(buffer[2:]); err != nil {
			return
		}
		n += 2
	}
	var query dnsmessage.Message
	if query.Unpack(buffer[2:n]) != nil {
		return
	}
	query.Response = true
	if question := query.Questions[0]; question.Type == dnsmessage.TypeA {
		query.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: question.Name, Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET, TTL: 0},
			Body:   &dnsmessage.AResource{A: address},
		}}
	}
	query.Additionals = nil
	packed, err := query.Pack()
	if err != nil {
		return
	}
	_, _ = conn.Write(append([]byte{byte(len(packed) >> 8), byte(len(packed))}, packed...))
}

func TestRedirectIntoPrivateRange(t *testing.T) {
	port, connections := sink(t, "127.0.0.2")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.2:"+port+"/", http.StatusFound)
	}))
	defer server.Close()
	home := netip.MustParseAddrPort(strings.TrimPrefix(server.URL, "http://")).Addr()
	_, err := New(Policy{AllowHTTP: true, AllowPrivate: []netip.Prefix{netip.PrefixFrom(home, 32)}}).Get(server.URL)
	if !errors.Is(err, ErrAddress) || connections.Load() != 0 {
		t.Errorf("%v, %d connections", err, connections.Load())
	}
	open := New(Policy{AllowHTTP: true, AllowPrivate: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if response, err := open.Get(server.URL); err == nil {
		_ = response.Body.Close()
	}
	if connections.Load() == 0 {
		t.Error("the control does not reach the sink, so this test proves nothing")
	}
}

func TestNoProxyFromTheEnvironment(t *testing.T) {
	if transport := New(Policy{}).Transport.(*bounded).next.(*http.Transport); transport.Proxy != nil {
		t.Error("a proxy would be asked to connect in our stead")
	}
}
