// Package apache starts a real Apache with Basic and Digest authentication.
package apache

import (
	"crypto/md5"  // #nosec G501 -- what an Apache password file for Digest is made of
	"crypto/sha1" // #nosec G505 -- likewise for Basic
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"text/template"
	"time"
)

const (
	// User and Password are known to both realms.
	User, Password = "ada", "correct horse: battery"
	realm          = "conformance"
	// modules is where Debian keeps them.
	modules = "/usr/lib/apache2/modules"
	// nonceLife makes nonces go stale while a test runs, in seconds.
	nonceLife = 1
)

var configuration = template.Must(template.New("").Parse(`ServerRoot {{.Dir}}
ServerName 127.0.0.1
Listen 127.0.0.1:{{.Port}}
PidFile {{.Dir}}/pid
DefaultRuntimeDir {{.Dir}}
ErrorLog {{.Dir}}/error.log
LogLevel warn
{{range .Modules}}LoadModule {{.}}_module {{$.ModuleDir}}/mod_{{.}}.so
{{end}}{{if .Root}}User nobody
Group nogroup
{{end}}TypesConfig /dev/null
DocumentRoot {{.Dir}}/docs
<Directory {{.Dir}}/docs>
  Require all granted
</Directory>
<Location /basic/>
  AuthType Basic
  AuthName {{.Realm}}
  AuthUserFile {{.Dir}}/basic
  Require valid-user
</Location>
<Location /digest/>
  AuthType Digest
  AuthName {{.Realm}}
  AuthUserFile {{.Dir}}/digest
  AuthDigestNonceLifetime {{.NonceLife}}
  Require valid-user
</Location>
`))

// Start runs an Apache until the test ends and answers its URL. Below /basic/ and
// /digest/ there is me.json. Without Apache the test is skipped; under CI it
// fails, unless CONNECTED_APPS_NO_APACHE says that it could not be had.
func Start(t *testing.T) string {
	t.Helper()
	binary, err := exec.LookPath("apache2")
	if err != nil {
		if os.Getenv("CI") != "" && os.Getenv("CONNECTED_APPS_NO_APACHE") == "" {
			t.Fatal("there is no apache2: install the package apache2-bin")
		}
		t.Skip("there is no apache2: install the package apache2-bin")
	}
	dir, err := os.MkdirTemp("", "apache")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	port := freePort(t)
	write(t, dir, "basic", fmt.Sprintf("%s:{SHA}%s\n", User, base64.StdEncoding.EncodeToString(sum1(Password))))
	write(t, dir, "digest", fmt.Sprintf("%s:%s:%x\n", User, realm, md5.Sum([]byte(User+":"+realm+":"+Password)))) // #nosec G401
	for _, place := range []string{"basic", "digest"} {
		write(t, dir, filepath.Join("docs", place, "me.json"), `{"id": "`+User+`"}`)
	}
	file, err := os.Create(filepath.Join(dir, "httpd.conf"))
	if err != nil {
		t.Fatal(err)
	}
	err = configuration.Execute(file, map[string]any{"Dir": dir, "Port": port, "Root": os.Geteuid() == 0, "Realm": realm, "NonceLife": nonceLife,
		"ModuleDir": modules, "Modules": []string{"mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "auth_digest", "mime"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close()
	server := exec.Command(binary, "-X", "-f", filepath.Join(dir, "httpd.conf"))
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
	})
	await(t, port, filepath.Join(dir, "error.log"))
	return fmt.Sprintf("http://127.0.0.1:%d", port)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // Apache's own user reads it
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // likewise
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // likewise
		t.Fatal(err)
	}
}

func sum1(text string) []byte {
	sum := sha1.Sum([]byte(text)) // #nosec G401
	return sum[:]
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

func await(t *testing.T, port int, log string) {
	t.Helper()
	for range 100 {
		connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = connection.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	text, _ := os.ReadFile(log)
	t.Fatalf("Apache did not start: %s", text)
}
