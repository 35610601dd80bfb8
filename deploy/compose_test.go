package deploy

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
)

var environments = []string{"development", "staging", "production"}

// jobs run once; every other service runs on.
var jobs = []string{"temporal-schema", "temporal-namespaces", "vault-setup"}

// load reads the project as `docker compose` does: interpolated, normalised, and
// checked against the compose specification's schema.
func load(t *testing.T, file string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{file},
		cli.WithEnv([]string{"CONNECTED_APPS_GATEWAY_URL=https://connect.example.com"}),
		cli.WithProfiles([]string{"*"}))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestCompose(t *testing.T) {
	for _, broken := range judge(load(t, "../docker-compose.yml")) {
		t.Error(broken)
	}
}

func TestComposeNeedsAGatewayURL(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"../docker-compose.yml"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := options.LoadProject(t.Context()); err == nil || !strings.Contains(err.Error(), "CONNECTED_APPS_GATEWAY_URL") {
		t.Errorf("without CONNECTED_APPS_GATEWAY_URL: %v", err)
	}
}

// Every file that is mounted from the repository is there.
func TestComposeMounts(t *testing.T) {
	for _, service := range load(t, "../docker-compose.yml").Services {
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind || strings.Contains(volume.Source, "/secrets/") {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				t.Errorf("%s mounts what is not there: %v", service.Name, err)
			}
		}
	}
}

// judge answers every house rule that a project breaks.
func judge(project *types.Project) []string {
	var broken []string
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(project.Services)) {
		service := project.Services[name]
		for _, reason := range judgeService(service) {
			say("%s %s", name, reason)
		}
	}
	for _, environment := range environments {
		worker, ok := project.Services["worker-"+environment]
		switch {
		case !ok:
			say("there is no worker of %s", environment)
		case value(worker, "CONNECTED_APPS_ENVIRONMENT") != environment:
			say("worker-%s serves %q", environment, value(worker, "CONNECTED_APPS_ENVIRONMENT"))
		}
		for _, volume := range worker.Volumes {
			if strings.Contains(volume.Source, "/identities") && !strings.HasSuffix(volume.Source, "/identities/worker/"+environment) {
				say("worker-%s can read the logins in %s", environment, volume.Source)
			}
		}
	}
	if got := value(project.Services["gateway"], "CONNECTED_APPS_ENVIRONMENTS"); got != strings.Join(environments, ",") {
		say("the gateway serves %q", got)
	}
	for name, secret := range project.Secrets {
		if secret.Content != "" || secret.File == "" {
			say("secret %s is not a file", name)
		}
	}
	return broken
}

// pinned is a tag with a full version, or the tag of what this repository builds.
var pinned = regexp.MustCompile(`:v?\d+\.\d+(\.\d+)?(-[a-z0-9.]+)?$`)

func judgeService(service types.ServiceConfig) []string {
	var broken []string
	say := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	ours := service.Build != nil
	job := slices.Contains(jobs, service.Name)
	if !ours && !pinned.MatchString(service.Image) || strings.HasSuffix(service.Image, ":latest") || !strings.Contains(service.Image, ":") {
		say("has an image that is not pinned: %q", service.Image)
	}
	if first, _, more := strings.Cut(service.Image, "/"); more && strings.ContainsAny(first, ".:") {
		say("names a registry: %s", service.Image)
	}
	if !job && (service.HealthCheck == nil || len(service.HealthCheck.Test) == 0 || service.HealthCheck.Disable) {
		say("has no health check")
	}
	switch {
	case job && strings.HasPrefix(service.Restart, "on-failure"), service.Name == "vault-setup" && service.Restart == "no":
	case !job && service.Restart == "unless-stopped":
	default:
		say("has the restart policy %q", service.Restart)
	}
	if !service.ReadOnly || !slices.Contains(service.CapDrop, "ALL") || !slices.Contains(service.SecurityOpt, "no-new-privileges:true") {
		say("is not hardened: read-only, no capabilities, no new privileges")
	}
	if user, _, _ := strings.Cut(service.User, ":"); user == "" || user == "0" || user == "root" {
		say("runs as user %q", service.User)
	}
	if service.Privileged || service.NetworkMode == "host" || service.Pid == "host" {
		say("shares the host's privileges or namespaces")
	}
	for _, port := range service.Ports {
		if port.HostIP != "127.0.0.1" {
			say("publishes port %s on %q, not on loopback", port.Published, port.HostIP)
		}
	}
	for name, value := range service.Environment {
		if value != nil && secretLooking(name, *value) {
			say("has a value in %s that looks like a secret", name)
		}
	}
	if _, token := service.Environment["VAULT_TOKEN"]; token && service.Name != "vault-setup" {
		say("gets VAULT_TOKEN")
	}
	if strings.HasPrefix(service.Name, "worker-") && (service.StopGracePeriod == nil || time.Duration(*service.StopGracePeriod) < time.Minute) {
		say("is killed before a refresh in flight is stored: it needs a stop_grace_period of 60 s")
	}
	return broken
}

// secretName and secretFile tell a variable that holds a secret from one that says where it is.
var (
	secretName = regexp.MustCompile(`(?i)(password|passwd|_pwd|secret|token|credential|private_key|api_key)`)
	secretFile = regexp.MustCompile(`(?i)(_FILE|_DIR|_PATH)$`)
	// random is what generated keys look like: long, and letters mixed with digits.
	random = regexp.MustCompile(`^[A-Za-z0-9+/_=.-]{24,}$`)
	mixed  = regexp.MustCompile(`[0-9].*[A-Za-z].*[0-9].*[A-Za-z]`)
	inURL  = regexp.MustCompile(`://[^/@\s]*:[^/@\s]+@`)
)

func secretLooking(name, value string) bool {
	if value == "" || value == "true" || value == "false" {
		return false
	}
	if secretName.MatchString(name) && !secretFile.MatchString(name) {
		return true
	}
	return inURL.MatchString(value) || random.MatchString(value) && mixed.MatchString(value)
}

func value(service types.ServiceConfig, name string) string {
	if v := service.Environment[name]; v != nil {
		return *v
	}
	return ""
}

// Each guard is shown to fail: the compose file with one thing changed is refused.
func TestComposePlants(t *testing.T) {
	text, err := os.ReadFile("../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, plant := range []struct{ name, old, new, want string }{
		{"an image that floats", "hashicorp/vault:1.20.4", "hashicorp/vault:latest", "not pinned"},
		{"an image without a tag", "temporalio/ui:2.54.1", "temporalio/ui", "not pinned"},
		{"a registry", "postgres:17.6-bookworm", "registry.example/postgres:17.6", "names a registry"},
		{"no health check", `test: ["CMD", "vault", "status", "-address=http://127.0.0.1:8200"]`, "disable: true", "vault has no health check"},
		{"a password", "POSTGRES_PASSWORD_FILE: /run/secrets/postgres-password", "POSTGRES_PASSWORD: x", "looks like a secret"},
		{"a key without a telling name", "RETENTION: ${TEMPORAL_RETENTION:-720h}", "RETENTION: q8f3Kd92mZ7xP4vB6nL1sT5w", "looks like a secret"},
		{"a password in a URL", "VAULT_ADDR: http://vault:8200", "VAULT_ADDR: http://u:p@vault:8200", "looks like a secret"},
		{"a short stop", "stop_grace_period: 60s\n  depends_on", "stop_grace_period: 10s\n  depends_on", "stop_grace_period"},
		{"a token for workers", "  VAULT_ADDR: http://vault:8200", "  VAULT_TOKEN:\n  VAULT_ADDR: http://vault:8200", "gets VAULT_TOKEN"},
		{"a port for everybody", "127.0.0.1:8400:8400", "8400:8400", "not on loopback"},
		{"root", `user: "100:1000"`, `user: "0:0"`, "runs as user"},
		{"a writable root", "read_only: true", "read_only: false", "not hardened"},
		{"an environment that is missing", "worker-staging:", "worker-stage:", "there is no worker of staging"},
		{"another environment's login", "worker/production:/run", "worker/staging:/run", "can read the logins"},
		{"a wrong environment", "CONNECTED_APPS_ENVIRONMENT: staging", "CONNECTED_APPS_ENVIRONMENT: production", `serves "production"`},
		{"no restart", "restart: unless-stopped", `restart: "no"`, "restart policy"},
	} {
		t.Run(plant.name, func(t *testing.T) {
			changed := strings.Replace(string(text), plant.old, plant.new, 1)
			if changed == string(text) {
				t.Fatalf("there is no %q to change", plant.old)
			}
			file := filepath.Join(t.TempDir(), "docker-compose.yml")
			if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			if broken := strings.Join(judge(load(t, file)), "\n"); !strings.Contains(broken, plant.want) {
				t.Errorf("got %q, want %q in it", broken, plant.want)
			}
		})
	}
}
