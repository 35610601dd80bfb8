package deployment

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"connectedapps/connection"
)

// Variable is one line of the table of settings.
type Variable struct{ Name, Default, Meaning string }

// Variables lists every setting of our own, for help texts and the README.
func Variables() []Variable {
	return []Variable{
		{"CONNECTED_APPS_ENVIRONMENTS", "development,staging,production", "environments that the gateway and the command line serve"},
		{"CONNECTED_APPS_ENVIRONMENT", "", "the one environment that a worker serves"},
		{"CONNECTED_APPS_NAMESPACE_<ENVIRONMENT>", "the environment's name", "Temporal namespace of an environment; letters in upper case, - as _"},
		{"CONNECTED_APPS_GATEWAY_URL", "http://127.0.0.1:8400", "where people's browsers reach the gateway"},
		{"CONNECTED_APPS_LISTEN", "127.0.0.1:8400", "address that the gateway listens on"},
		{"CONNECTED_APPS_CONNECTORS", "", "directories of further definitions, separated by :"},
		{"CONNECTED_APPS_IDENTITIES", "", "directory with <environment>/role-id and <environment>/secret-id, the AppRole logins; without it VAULT_TOKEN is used"},
		{"CONNECTED_APPS_VAULT_PREFIX", "connected-apps", "path in Vault under which the mounts lie"},
		{"CONNECTED_APPS_ALLOW_PRIVATE", "", "private networks that apps may be in, as CIDRs separated by commas"},
		{"CONNECTED_APPS_ALLOW_HTTP", "false", "true: apps, and the gateway from other machines, may be reached without TLS"},
		{"CONNECTED_APPS_TEMPORAL_GZIP", "false", "true: messages to and from Temporal are compressed; for one that is far away"},
		{"CONNECTED_APPS_TEMPORAL_UI", "", "origin of Temporal's Web UI, for links of the console to runs"},
		{"CONNECTED_APPS_RETURN_TO", "", "origins that connect sessions may send people back to, separated by commas"},
		{"CONNECTED_APPS_OIDC_ISSUER", "", "OpenID provider that people sign in to the gateway at; without it by one-time links"},
		{"CONNECTED_APPS_OIDC_CLIENT_ID", "", "the gateway's client ID there"},
		{"CONNECTED_APPS_OIDC_CLIENT_SECRET_FILE", "", "file with its client secret; without it the client is public, and PKCE protects it"},
		{"CONNECTED_APPS_OIDC_SCOPES", "", "scopes to ask for beside openid, profile and email, separated by commas or spaces"},
		{"CONNECTED_APPS_OIDC_ROLES_CLAIM", "groups", "claim that holds somebody's groups, a text or a list; dots lead into objects"},
		{"CONNECTED_APPS_OIDC_ROLES", "", "what groups may do, GROUP=ROLE@ENVIRONMENT separated by commas: sre=admin@*,dev=operator@development"},
		{"CONNECTED_APPS_OIDC_AUDIENCE", "the gateway's URL", "audience that the provider's tokens in an Authorization header must name"},
		{"CONNECTED_APPS_WARN_DAYS", "14,3,1", "how many days before an end that only a person can prevent a worker warns"},
		{"CONNECTED_APPS_BUDGETS", "", "how many requests are sent at most: APP=REQUESTS/TIME for an API, APP:token=REQUESTS/TIME for a token endpoint, APP=0 for no limit; separated by commas"},
		{"CONNECTED_APPS_LOG_LEVEL", "info", "debug, info, warn or error"},
		{"CONNECTED_APPS_LOG_FORMAT", "json", "json or console"},
		{"CONNECTED_APPS_HEALTH_LISTEN", "", "address on which a worker answers /healthz and /readyz"},
		{"CONNECTED_APPS_ENV_FILE", ".devstack/env", "file of NAME=value lines, read by the command line for variables that are not set"},
	}
}

// Settings say where everything is. Read fills it.
type Settings struct {
	Environments []string
	Environment  string
	GatewayURL   string
	TemporalUI   string   // without a slash at its end; "" shows no links
	ReturnTo     []string // origins
	Listen       string
	Connectors   []string
	Identities   string
	VaultPrefix  string
	AllowPrivate []netip.Prefix
	AllowHTTP    bool
	TemporalGzip bool
	WarnDays     []int // the most first
	Budgets      Budgets
	LogLevel     string
	LogFormat    string
	HealthListen string
	OIDC         OIDC
}

// OIDC are the settings of the OpenID provider, as they stand. Issuer "" means that there is none.
type OIDC struct {
	Issuer, ClientID, ClientSecretFile string
	Scopes                             []string
	RolesClaim, Roles, Audience        string
}

// readOIDC takes them from the process's environment; the gateway checks them.
func readOIDC(gatewayURL string) OIDC {
	return OIDC{
		Issuer: os.Getenv("CONNECTED_APPS_OIDC_ISSUER"), ClientID: os.Getenv("CONNECTED_APPS_OIDC_CLIENT_ID"),
		ClientSecretFile: os.Getenv("CONNECTED_APPS_OIDC_CLIENT_SECRET_FILE"),
		Scopes:           strings.FieldsFunc(os.Getenv("CONNECTED_APPS_OIDC_SCOPES"), func(r rune) bool { return r == ',' || r == ' ' }),
		RolesClaim:       or("CONNECTED_APPS_OIDC_ROLES_CLAIM", "groups"), Roles: os.Getenv("CONNECTED_APPS_OIDC_ROLES"),
		Audience: or("CONNECTED_APPS_OIDC_AUDIENCE", gatewayURL),
	}
}

// Read takes the settings from the process's environment. A variable that cannot
// be understood is an ErrInvalidInput that names it.
func Read() (Settings, error) {
	s := Settings{
		Environments: list("CONNECTED_APPS_ENVIRONMENTS", ",", "development,staging,production"),
		Environment:  os.Getenv("CONNECTED_APPS_ENVIRONMENT"),
		GatewayURL:   strings.TrimSuffix(or("CONNECTED_APPS_GATEWAY_URL", "http://127.0.0.1:8400"), "/"),
		Listen:       or("CONNECTED_APPS_LISTEN", "127.0.0.1:8400"),
		Connectors:   list("CONNECTED_APPS_CONNECTORS", string(filepath.ListSeparator), ""),
		Identities:   os.Getenv("CONNECTED_APPS_IDENTITIES"),
		VaultPrefix:  os.Getenv("CONNECTED_APPS_VAULT_PREFIX"),
		LogLevel:     or("CONNECTED_APPS_LOG_LEVEL", "info"),
		LogFormat:    or("CONNECTED_APPS_LOG_FORMAT", "json"),
		HealthListen: os.Getenv("CONNECTED_APPS_HEALTH_LISTEN"),
	}
	s.OIDC = readOIDC(s.GatewayURL)
	if s.TemporalUI = strings.TrimSuffix(os.Getenv("CONNECTED_APPS_TEMPORAL_UI"), "/"); s.TemporalUI != "" && !origin(s.TemporalUI) {
		return s, connection.InvalidInput("CONNECTED_APPS_TEMPORAL_UI", "this is not an origin", "give scheme and host, such as https://temporal.example")
	}
	for _, text := range list("CONNECTED_APPS_RETURN_TO", ",", "") {
		if text = strings.TrimSuffix(text, "/"); !origin(text) {
			return s, connection.InvalidInput("CONNECTED_APPS_RETURN_TO", fmt.Sprintf("%q is not an origin", connection.Bound(text, 200)), "write it as https://platform.example")
		}
		s.ReturnTo = append(s.ReturnTo, text)
	}
	for _, environment := range s.Environments {
		if err := connection.CheckSlug("CONNECTED_APPS_ENVIRONMENTS", environment); err != nil {
			return s, err
		}
	}
	if u, err := url.Parse(s.GatewayURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return s, connection.InvalidInput("CONNECTED_APPS_GATEWAY_URL", "this is not an http or https URL", "give the URL that browsers use, such as https://connect.example")
	}
	for _, text := range list("CONNECTED_APPS_ALLOW_PRIVATE", ",", "") {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return s, connection.InvalidInput("CONNECTED_APPS_ALLOW_PRIVATE", fmt.Sprintf("%q is not a network", text), "write it as 10.1.0.0/16")
		}
		s.AllowPrivate = append(s.AllowPrivate, prefix)
	}
	for _, text := range list("CONNECTED_APPS_WARN_DAYS", ",", "14,3,1") {
		days, err := strconv.Atoi(text)
		if err != nil || days < 1 || days > 365 {
			return s, connection.InvalidInput("CONNECTED_APPS_WARN_DAYS", fmt.Sprintf("%q is not a number of days", text), "write it as 14,3,1")
		}
		s.WarnDays = append(s.WarnDays, days)
	}
	slices.SortFunc(s.WarnDays, func(a, b int) int { return b - a })
	var err error
	if s.Budgets, err = readBudgets(list("CONNECTED_APPS_BUDGETS", ",", "")); err != nil {
		return s, err
	}
	if s.AllowHTTP, err = truth("CONNECTED_APPS_ALLOW_HTTP"); err != nil {
		return s, err
	}
	s.TemporalGzip, err = truth("CONNECTED_APPS_TEMPORAL_GZIP")
	return s, err
}

// truth reads a variable that is true or false; false where it is not set.
func truth(name string) (bool, error) {
	switch or(name, "false") {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, connection.InvalidInput(name, "this is neither true nor false", "set it to true or false")
}

// Serves reports, as an ErrUnknownEnvironment, an environment that is not configured.
func (s Settings) Serves(environment string) error {
	if slices.Contains(s.Environments, environment) {
		return nil
	}
	return connection.Refused(connection.ErrUnknownEnvironment,
		fmt.Sprintf("there is no environment %q", connection.Bound(environment, 63)), "choose one of: "+strings.Join(s.Environments, ", "))
}

// Namespace is the Temporal namespace of an environment.
func (s Settings) Namespace(environment string) string {
	return or("CONNECTED_APPS_NAMESPACE_"+strings.ToUpper(strings.ReplaceAll(environment, "-", "_")), environment)
}

// LoadFile sets the variables of a file of NAME=value lines that are not set yet.
// An absent file is not an error unless it was asked for by name.
func LoadFile() error {
	path, asked := os.LookupEnv("CONNECTED_APPS_ENV_FILE")
	if !asked {
		path = filepath.Join(".devstack", "env")
	}
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) && !asked || path == "" {
		return nil
	}
	if err != nil {
		return connection.InvalidInput("CONNECTED_APPS_ENV_FILE", "the file "+connection.Bound(path, 200)+" cannot be read from here", "give its whole path, or unset the variable")
	}
	for line := range strings.Lines(string(text)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		if _, set := os.LookupEnv(name); !set {
			if err := os.Setenv(name, value); err != nil {
				return connection.InvalidInput("CONNECTED_APPS_ENV_FILE", fmt.Sprintf("%q cannot be a variable", name), "write NAME=value")
			}
		}
	}
	return nil
}

// origin reports whether text is scheme and host of a site, and nothing after them.
func origin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.Scheme+"://"+u.Host == text
}

func or(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

func list(name, separator, fallback string) []string {
	var items []string
	for item := range strings.SplitSeq(or(name, fallback), separator) {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
