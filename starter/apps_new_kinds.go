package main

import (
	"maps"
	"slices"
	"strings"

	"connectedapps/connection"
)

// kindNames lists every kind of authentication.
func kindNames() []string {
	names := make([]string, 0, len(skeletons))
	for kind := range maps.Keys(skeletons) {
		names = append(names, string(kind))
	}
	slices.Sort(names)
	return names
}

// skeleton is a definition to start from.
func skeleton(id, name string, kind connection.AuthKind) string {
	quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	auth := strings.TrimPrefix(skeletons[kind], "\n")
	return strings.NewReplacer("ID", id, "NAME", quoted, "AUTH\n", auth).Replace(frame)
}

// frame is what every definition has.
const frame = `# Check this file with: connected-apps apps validate FILE
id: ID
name: NAME
# One sentence on what the app is.
summary: ""
# Slugs by which people look for it.
categories: []
# Paths of actions are appended to this. Credentials go nowhere else.
base_url: https://api.example.com/v1
answers:
  # JMESPath: where the app's own words about a failure stand.
  error: error.message
auth:
AUTH
# A request that fails without a good credential, changes nothing, and tells whose account it is.
probe:
  path: /me
  # CEL over status, headers and body: must hold beside a status of 2xx.
  ok: has(body.id)
  identity: {account: id, label: email}
  tests: reading the account that the credential belongs to
actions:
  - id: list-things
    title: List things
    description: Lists the things of the account, newest first.
    # "documented" once the provider's documentation was checked.
    status: unverified
    read_only: true
    request: {method: GET, path: "/things{?limit}"}
    input:
      type: object
      additionalProperties: false
      properties:
        limit: {type: integer, minimum: 1, maximum: 100}
`

// skeletons are the ways to authenticate, each as it stands below auth.
var skeletons = map[connection.AuthKind]string{
	connection.OAuth2Code: `
  - id: oauth
    kind: oauth2-code
    title: Sign in
    # Shown to whoever registers the client.
    setup:
      url: https://example.com/developers
      steps:
        - Create an app and enter {redirect_uri} as its redirect URI.
        - Allow it the scopes {scopes}.
    oauth:
      # basic, post, none, private_key_jwt, client_secret_jwt, tls or secret-as-user.
      client_auth: basic
      scopes:
        default: [offline_access]
        describe: {offline_access: Stay connected while you are away}
      authorize: {url: "https://example.com/oauth/authorize"}
      token: {url: "https://example.com/oauth/token"}
      # none, strict, grace or unknown: what a refresh does to the refresh token.
      refresh: {rotation: unknown}
      revoke: {url: "https://example.com/oauth/revoke"}
`,
	connection.OAuth2Device: `
  - id: device
    kind: oauth2-device
    title: Sign in with a code
    setup:
      url: https://example.com/developers
      steps: ["Create an app for devices and allow it the scopes {scopes}."]
    oauth:
      client_auth: none
      scopes: {default: [offline_access]}
      device: {url: "https://example.com/oauth/device"}
      token: {url: "https://example.com/oauth/token"}
`,
	connection.OAuth2ClientCredentials: `
  - id: machine
    kind: oauth2-client-credentials
    title: Client credentials
    setup:
      url: https://example.com/developers
      steps: [Create an app that acts for itself and copy its client ID and secret.]
    oauth:
      client_auth: basic
      token: {url: "https://example.com/oauth/token"}
`,
	connection.OAuth2JWTBearer: `
  - id: service-account
    kind: oauth2-jwt-bearer
    title: Service account
    inputs:
      - {name: client_email, title: E-mail of the service account, format: email, secret: false}
      - {name: private_key, title: Private key, help: The whole PEM text, type: text, secret: true}
    oauth:
      client_auth: none
      token:
        url: "https://example.com/oauth/token"
        # iat, exp and jti are added.
        assertion:
          algorithm: RS256
          key: "{private_key}"
          claims: {iss: "{client_email}", aud: "{token_url}", scope: "{scopes}"}
          lifetime: 1h
`,
	connection.OAuth2Grant: `
  - id: account
    kind: oauth2-grant
    title: User name and password
    inputs:
      - {name: username, title: User name, secret: false}
      - {name: password, title: Password, secret: true}
      - {name: client_id, title: Client ID, secret: false}
      - {name: client_secret, title: Client secret, secret: true}
    oauth:
      client_auth: post
      token:
        url: "https://example.com/oauth/token"
        # Any grant type of the token endpoint.
        grant: password
        params: {username: "{username}", password: "{password}"}
`,
	connection.OAuth1: `
  - id: oauth1
    kind: oauth1
    title: Sign in
    setup:
      url: https://example.com/developers
      steps: ["Create an app and enter {redirect_uri} as its callback URL."]
    # Consumer key and secret are the client ID and secret of the auth config.
    oauth1:
      signature: HMAC-SHA1
      request: {url: "https://example.com/oauth/request_token"}
      authorize: {url: "https://example.com/oauth/authorize"}
      token: {url: "https://example.com/oauth/access_token"}
`,
	connection.APIKey: `
  - id: key
    kind: api-key
    title: API key
    help: Where to find the key.
    inputs:
      - {name: api_key, title: API key, secret: true}
    # in: header, query, cookie or body.
    place:
      - {in: header, name: X-API-Key, value: "{api_key}"}
`,
	connection.Bearer: `
  - id: token
    kind: bearer
    title: Personal token
    help: Where to make the token.
    inputs:
      - {name: token, title: Token, secret: true}
`,
	connection.Headers: `
  - id: pair
    kind: headers
    title: Key and secret
    inputs:
      - {name: key_id, title: Key ID, secret: false}
      - {name: key_secret, title: Secret, secret: true}
    place:
      - {in: header, name: X-Key-Id, value: "{key_id}"}
      - {in: header, name: X-Key-Secret, value: "{key_secret}"}
`,
	connection.Basic: `
  - id: password
    kind: basic
    title: User name and password
    inputs:
      - {name: username, title: User name, secret: false}
      - {name: password, title: Password, secret: true}
    # These are the defaults; "{email}/token" and the like are possible.
    basic: {username: "{username}", password: "{password}"}
`,
	connection.Digest: `
  - id: digest
    kind: digest
    title: User name and password
    inputs:
      - {name: username, title: User name, secret: false}
      - {name: password, title: Password, secret: true}
`,
	connection.SigV4: `
  - id: aws
    kind: aws-sigv4
    title: Access key
    inputs:
      - {name: access_key_id, title: Access key ID, secret: false}
      - {name: secret_access_key, title: Secret access key, secret: true}
      - {name: session_token, title: Session token, optional: true, secret: true}
      - {name: region, title: Region, default: us-east-1, secret: false}
    sigv4: {service: execute-api, region: "{region}", session_token: "{session_token}"}
`,
	connection.MultiStep: `
  - id: session
    kind: multi-step
    title: Sign in
    inputs:
      - {name: username, title: User name, secret: false}
      - {name: password, title: Password, secret: true}
    steps:
      # Each step is a request, a question (ask) or a signature (sign).
      - id: sign-in
        request:
          method: POST
          url: https://api.example.com/v1/sessions
          body: {username: "{username}", password: "{password}"}
        capture:
          # A place in the body, header:NAME or cookie:NAME.
          session: {from: token, secret: true, lifetime: 20m}
    renew: {from: sign-in}
    logout:
      id: sign-out
      request: {method: DELETE, url: "https://api.example.com/v1/sessions/current"}
    place:
      - {in: header, name: X-Session, value: "{session}"}
`,
	connection.None: `
  - id: none
    kind: none
    title: No credential
`,
}
