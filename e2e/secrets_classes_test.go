package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectedapps/vault"
)

// The classes of secrets that the product handles.
const (
	classClientSecret = "client secret"
	classRefresh      = "refresh token"
	classAccess       = "access token"
	classCode         = "authorization code"
	classVerifier     = "PKCE verifier"
	classState        = "state"
	classAPIKey       = "API key"
	classBasic        = "basic password"
	classDigest       = "digest password"
	classHeader       = "custom header"
	classInterim      = "token between two steps"
	classWebhookKey   = "webhook key"
	classVaultToken   = "Vault token"
	// In an environment whose payloads are not sealed there is no key that seals them. The
	// one that is looked for is of staging, whose payloads are sealed on the same servers:
	// the database, the logs, the metrics and the rest are its surfaces too.
	classCodecKey = "codec key"
)

// classes are those of which a secret must be known, or a scan proves nothing of them. A
// canary is named "class: whose"; those of further classes may be known too.
var classes = []string{classClientSecret, classRefresh, classAccess, classCode, classVerifier, classState, classAPIKey,
	classBasic, classDigest, classHeader, classInterim, classWebhookKey, classVaultToken, classCodecKey}

// typedClass is the class of what people type in, by the method that they connect by.
var typedClass = map[string]string{"api-key": classAPIKey, "basic": classBasic, "digest": classDigest, "headers": classHeader}

// canaries are the secrets that lie somewhere for longer: the logins of Vault, and what
// Vault holds of every connection of this environment. Two calls log in twice.
func canaries(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{classVaultToken + ": root's": s.root.Token()}
	for _, who := range []string{vault.Worker, vault.Gateway} {
		all[classVaultToken+": a login as the "+who] = loggedIn(t, who, environment)
		text, err := os.ReadFile(filepath.Join(s.dir, "identities", who, environment, "secret-id"))
		if err != nil {
			t.Fatal(err)
		}
		all["secret ID: of the "+who] = strings.TrimSpace(string(text))
	}
	for name, value := range s.credentials {
		if name != "client_id" && name != "basic_username" && name != "header_id" && name != "access_key_id" {
			all["the sandbox's credential: "+name] = value
		}
	}
	held(t, "auth-configs/sandbox/", func(path string, document map[string]any) {
		if secret, _ := document["client_secret"].(string); secret != "" {
			all[classClientSecret+": "+path] = secret
		}
	})
	held(t, "connections/sandbox/", func(path string, document map[string]any) { credentials(all, path, document) })
	// Of others' candidates it is not known whether what they hold was meant to be secret.
	held(t, "candidates/sandbox/", func(path string, document map[string]any) {
		if strings.Contains(path, "/canary-") {
			credentials(all, path, document)
		}
	})
	held(t, "outputs/sandbox/", func(path string, document map[string]any) {
		for name, value := range document {
			if secret, _ := value.(string); strings.Contains(path, "/canary-") {
				all["secret answer: "+path+" "+name] = secret
			}
		}
	})
	return all
}

// credentials adds what is secret in a connection's document.
func credentials(all map[string]string, path string, document map[string]any) {
	credential, _ := document["credential"].(map[string]any)
	method, _ := credential["method"].(string)
	class := typedClass[method]
	if class == "" {
		class = "typed in for " + method
	}
	fields, _ := credential["fields"].(map[string]any)
	for name, value := range fields {
		if secret, _ := value.(string); secret != "" {
			all[class+": "+path+" "+name] = secret
		}
	}
	tokens, _ := credential["tokens"].(map[string]any)
	for name, value := range tokens {
		token, _ := value.(map[string]any)
		for field, class := range map[string]string{"access": classAccess, "refresh": classRefresh} {
			if secret, _ := token[field].(string); secret != "" {
				all[class+": "+path+" "+name] = secret
			}
		}
	}
}

// held calls back for every document that Vault holds below a folder, which ends with a slash.
func held(t *testing.T, folder string, each func(path string, document map[string]any)) {
	t.Helper()
	base := "connected-apps/" + environment + "/secrets/"
	listed, err := s.root.Logical().List(base + "metadata/" + strings.TrimSuffix(folder, "/"))
	if err != nil {
		t.Fatal(err)
	}
	if listed == nil {
		return
	}
	keys, _ := listed.Data["keys"].([]any)
	for _, key := range keys {
		path := folder + fmt.Sprint(key)
		if strings.HasSuffix(path, "/") {
			held(t, path, each)
			continue
		}
		found, err := s.root.Logical().Read(base + "data/" + path)
		if err != nil {
			t.Fatal(err)
		}
		if found == nil { // it has ended meanwhile
			continue
		}
		if document, _ := found.Data["data"].(map[string]any); document != nil {
			each(path, document)
		}
	}
}

// codecKey is a key that payloads of staging are sealed with. Only root can ask for it:
// elsewhere it is in the memory of processes alone.
func codecKey(t *testing.T, name string) string {
	t.Helper()
	_, _, payload := connectSealed(t, name, "Sealed")
	opened, err := s.root.Logical().Write("connected-apps/staging/transit/decrypt/payloads",
		map[string]any{"ciphertext": string(payload.GetMetadata()[vault.MetadataKey])})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := opened.Data["plaintext"].(string)
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(key)
}

// liveTokens counts the tokens on a surface that Vault knows, whoever they are of: those
// that workers and gateways log in with are in their memory alone, and no test knows them.
func liveTokens(surface []byte) int {
	kind, random, _ := strings.Cut(s.root.Token(), ".") // all tokens of a Vault look alike
	found, asked := 0, map[string]bool{}
	for {
		_, rest, ok := bytes.Cut(surface, []byte(kind+"."))
		if !ok {
			return found
		}
		surface = rest
		token := string(rest[:min(len(random), len(rest))])
		if len(token) < len(random) || strings.IndexFunc(token, notOfToken) >= 0 || asked[token] {
			continue
		}
		asked[token] = true
		if known, err := s.root.Auth().Token().Lookup(kind + "." + token); err == nil && known != nil {
			found++
		}
	}
}

func notOfToken(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '_' && r != '-'
}
