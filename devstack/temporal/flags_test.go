package main

import (
	"bytes"
	"errors"
	"flag"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
)

func TestParseFlags(t *testing.T) {
	o, err := parseFlags([]string{
		"--db", "x/temporal.db", "--port", "17233", "--ui-port=18233", "--metrics-port", "19090", "--codec-endpoint", "http://127.0.0.1:8400/codec",
		"--namespace", "one", "--namespace", "two", "--retention", "24h",
		"--search-attribute", "ConnectionApp=Keyword", "--search-attribute", "ConnectionExpires=Datetime",
	}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	if o.port != 17233 || o.uiPort != 18233 || o.metricsPort != 19090 || o.httpPort != 0 || o.retention != 24*time.Hour ||
		o.codecEndpoint != "http://127.0.0.1:8400/codec" {
		t.Errorf("read %+v", o)
	}
	if !slices.Equal(o.namespaces, []string{"one", "two"}) {
		t.Errorf("namespaces %v", o.namespaces)
	}
	want := map[string]enumspb.IndexedValueType{
		"ConnectionApp":     enumspb.INDEXED_VALUE_TYPE_KEYWORD,
		"ConnectionExpires": enumspb.INDEXED_VALUE_TYPE_DATETIME,
	}
	if !maps.Equal(o.searchAttributes, want) {
		t.Errorf("search attributes %v", o.searchAttributes)
	}
}

func TestDefaultsAreTheEnvironments(t *testing.T) {
	o, err := parseFlags([]string{"--db", "x"}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(o.namespaces, []string{"development", "staging", "production"}) {
		t.Errorf("namespaces %v", o.namespaces)
	}
	if o.ip != "127.0.0.1" || o.port != 7233 || o.uiPort != 8233 || o.retention != 72*time.Hour {
		t.Errorf("read %+v", o)
	}
}

func TestTheWebUIHasPayloadsOpenedWithItsCookies(t *testing.T) {
	codec := uiConfig(options{namespaces: []string{"one"}, codecEndpoint: "http://127.0.0.1:8400/codec"}).Codec
	if codec.Endpoint != "http://127.0.0.1:8400/codec" || !codec.IncludeCredentials || codec.PassAccessToken {
		t.Errorf("%+v", codec)
	}
	if codec = uiConfig(options{namespaces: []string{"one"}}).Codec; codec.Endpoint != "" || codec.IncludeCredentials {
		t.Errorf("without an endpoint: %+v", codec)
	}
}

func TestRefusedCommandLines(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no database":          {nil, "--db is required"},
		"argument":             {[]string{"--db", "x", "start"}, `unexpected argument "start"`},
		"URI in the path":      {[]string{"--db", "x?mode=memory"}, "file URI"},
		"every interface":      {[]string{"--db", "x", "--ip", "0.0.0.0"}, "not an IPv4 loopback"},
		"port zero":            {[]string{"--db", "x", "--port", "0"}, "--port 0: not a port"},
		"one port twice":       {[]string{"--db", "x", "--ui-port", "7233"}, "--port and --ui-port both name port 7233"},
		"namespace twice":      {[]string{"--db", "x", "--namespace", "a", "--namespace", "a"}, "given twice"},
		"attribute, no type":   {[]string{"--db", "x", "--search-attribute", "A"}, "want Name=Type"},
		"attribute, odd type":  {[]string{"--db", "x", "--search-attribute", "A=String"}, `"String" is not`},
		"attribute, zero type": {[]string{"--db", "x", "--search-attribute", "A=Unspecified"}, `"Unspecified" is not`},
		"attribute twice":      {[]string{"--db", "x", "--search-attribute", "A=Int", "--search-attribute", "A=Bool"}, "given twice"},
		"short retention":      {[]string{"--db", "x", "--retention", "5m"}, "no less than 1h"},
		"odd log level":        {[]string{"--db", "x", "--log-level", "loud"}, "--log-level loud"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			if _, err := parseFlags(c.args, &stderr); !errors.Is(err, errUsage) {
				t.Errorf("error %v", err)
			}
			if !strings.Contains(stderr.String(), c.says) {
				t.Errorf("does not say %q: %s", c.says, stderr.String())
			}
		})
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	if _, err := parseFlags([]string{"-h"}, &bytes.Buffer{}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("error %v", err)
	}
}

func TestTakenPortNamesItsFlag(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	_, err = claimPorts(options{ip: "127.0.0.1", port: taken, uiPort: taken})
	if err == nil || !strings.Contains(err.Error(), "--port") || !strings.Contains(err.Error(), strconv.Itoa(taken)) {
		t.Errorf("error %v", err)
	}
}

func TestDatabaseHasOneServer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "temporal.db")
	unlock, err := lockDatabase(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockDatabase(file); err == nil {
		t.Error("locked twice")
	}
	unlock()
	unlock, err = lockDatabase(file)
	if err != nil {
		t.Fatalf("still locked: %v", err)
	}
	unlock()
}
