package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
)

// errUsage marks a command line that was refused. The reason has been printed.
var errUsage = errors.New("usage")

// minimumRetention is the server's own lower bound for a local namespace
// (system.namespaceMinRetentionLocal).
const minimumRetention = time.Hour

// options is the command line.
type options struct {
	// database is the SQLite file; its directory is created if missing.
	database string
	// ip is an IPv4 loopback address; every listener binds to it.
	ip string
	// port serves gRPC, uiPort the Web UI. httpPort (the server's HTTP API) and
	// metricsPort (Prometheus) are off when 0.
	port, uiPort, httpPort, metricsPort int
	// namespaces, in the order given; the Web UI opens on the first.
	namespaces []string
	// searchAttributes exist in each namespace once the server is ready.
	searchAttributes map[string]enumspb.IndexedValueType
	// retention is given to namespaces that are created; others keep theirs.
	retention time.Duration
	logLevel  string
	// codecEndpoint is where the Web UI's pages have payloads opened; "" is nowhere.
	codecEndpoint string
}

// parseFlags reads the command line. It prints the reason of a refusal to stderr
// and returns errUsage, or flag.ErrHelp if help was asked for.
func parseFlags(args []string, stderr io.Writer) (options, error) {
	o := options{searchAttributes: map[string]enumspb.IndexedValueType{}}
	f := flag.NewFlagSet("devstack-temporal", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.database, "db", "", "SQLite `file` that holds all state (required)")
	f.StringVar(&o.ip, "ip", "127.0.0.1", "IPv4 loopback `address` to listen on")
	f.IntVar(&o.port, "port", 7233, "gRPC `port`")
	f.IntVar(&o.uiPort, "ui-port", 8233, "Web UI `port`")
	f.IntVar(&o.httpPort, "http-port", 0, "`port` of the server's HTTP API; 0 for none")
	f.IntVar(&o.metricsPort, "metrics-port", 0, "`port` for Prometheus, path /metrics; 0 for none")
	f.Func("namespace", "`name` of a namespace to create if missing; repeatable (default development, staging, production)", func(name string) error {
		if name == "" || slices.Contains(o.namespaces, name) {
			return errors.New("empty or given twice")
		}
		o.namespaces = append(o.namespaces, name)
		return nil
	})
	f.Func("search-attribute", "`Name=Type` of a search attribute to create if missing, in each namespace; repeatable", o.addSearchAttribute)
	f.DurationVar(&o.retention, "retention", 72*time.Hour, "how long a created namespace keeps closed workflows; at least 1h")
	f.StringVar(&o.codecEndpoint, "codec-endpoint", "", "`URL` where the Web UI has payloads opened, with the cookies that the browser has for it")
	f.StringVar(&o.logLevel, "log-level", "warn", "`level`: debug, info, warn or error; the log goes to standard error")

	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return options{}, err
	} else if err != nil {
		return options{}, errUsage
	}
	if len(o.namespaces) == 0 {
		o.namespaces = []string{"development", "staging", "production"}
	}
	if err := o.validate(f.Args()); err != nil {
		fmt.Fprintln(stderr, err)
		f.Usage()
		return options{}, errUsage
	}
	return o, nil
}

// addSearchAttribute reads Name=Type, Type being one of Temporal's own names
// (Keyword, KeywordList, Text, Int, Double, Bool, Datetime).
func (o *options) addSearchAttribute(s string) error {
	name, typeName, found := strings.Cut(s, "=")
	if !found || name == "" {
		return errors.New("want Name=Type")
	}
	if _, ok := o.searchAttributes[name]; ok {
		return errors.New("given twice")
	}
	kind, err := enumspb.IndexedValueTypeFromString(typeName)
	if err != nil || kind == enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED {
		return fmt.Errorf("%q is not a search attribute type: want Keyword, KeywordList, Text, Int, Double, Bool or Datetime", typeName)
	}
	o.searchAttributes[name] = kind
	return nil
}

// validate checks what a single flag cannot know.
func (o options) validate(rest []string) error {
	if len(rest) > 0 {
		return fmt.Errorf("unexpected argument %q", rest[0])
	}
	if o.database == "" {
		return errors.New("--db is required")
	}
	if strings.ContainsAny(o.database, "?#%") {
		return fmt.Errorf("--db %s: a path with ?, # or %% cannot be written as SQLite's file URI", o.database)
	}
	if ip, err := netip.ParseAddr(o.ip); err != nil || !ip.Is4() || !ip.IsLoopback() {
		return fmt.Errorf("--ip %s: not an IPv4 loopback address; this server has no authentication and must not be reachable from elsewhere", o.ip)
	}
	if o.retention < minimumRetention {
		return fmt.Errorf("--retention %v: the server accepts no less than %v", o.retention, minimumRetention)
	}
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, o.logLevel) {
		return fmt.Errorf("--log-level %s: want debug, info, warn or error", o.logLevel)
	}
	return o.validatePorts()
}

// validatePorts wants each listener on a port of its own, so that a port that
// turns out to be taken is taken by somebody else.
func (o options) validatePorts() error {
	flagOf := map[int]string{}
	for _, p := range o.ports() {
		if p.number < 1 || p.number > 65535 {
			return fmt.Errorf("%s %d: not a port", p.flag, p.number)
		}
		if other, ok := flagOf[p.number]; ok {
			return fmt.Errorf("%s and %s both name port %d", other, p.flag, p.number)
		}
		flagOf[p.number] = p.flag
	}
	return nil
}
