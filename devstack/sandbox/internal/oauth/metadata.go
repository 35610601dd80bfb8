package oauth

import "net/http"

// Where the endpoints are, below the issuer.
const (
	AuthorizePath  = "/oauth/authorize"
	TokenPath      = "/oauth/token"
	RevokePath     = "/oauth/revoke"
	IntrospectPath = "/oauth/introspect"
	MetadataPath   = "/.well-known/oauth-authorization-server"
	// DeviceAuthorizationPath is asked by the device, DevicePath visited by the person (RFC 8628).
	DeviceAuthorizationPath = "/oauth/device_authorization"
	DevicePath              = "/oauth/device"
)

// Register adds the endpoints to a mux.
func (s *Server) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET "+AuthorizePath, s.ShowConsent)
	mux.HandleFunc("POST "+AuthorizePath, s.Decide)
	mux.HandleFunc("POST "+TokenPath, s.Token)
	mux.HandleFunc("POST "+RevokePath, s.Revoke)
	mux.HandleFunc("POST "+IntrospectPath, s.Introspect)
	mux.HandleFunc("GET "+MetadataPath, s.Metadata)
	mux.HandleFunc("POST "+DeviceAuthorizationPath, s.AuthorizeDevice)
	mux.HandleFunc("GET "+DevicePath, s.ShowDevice)
	mux.HandleFunc("POST "+DevicePath, s.DecideDevice)
}

// Metadata is the server's description of itself (RFC 8414 section 2, RFC 8628 section 4, RFC 9207
// section 3).
func (s *Server) Metadata(w http.ResponseWriter, _ *http.Request) {
	authMethods := []string{"client_secret_basic", "client_secret_post", "none", "private_key_jwt"}
	writeJSON(w, map[string]any{
		"issuer":                                           s.issuer,
		"authorization_endpoint":                           s.issuer + AuthorizePath,
		"token_endpoint":                                   s.issuer + TokenPath,
		"revocation_endpoint":                              s.issuer + RevokePath,
		"device_authorization_endpoint":                    s.issuer + DeviceAuthorizationPath,
		"introspection_endpoint":                           s.issuer + IntrospectPath,
		"scopes_supported":                                 AllScopes,
		"response_types_supported":                         []string{"code"},
		"response_modes_supported":                         []string{"query"},
		"grant_types_supported":                            AllGrantTypes,
		"token_endpoint_auth_signing_alg_values_supported": []string{assertionAlgorithm},
		"code_challenge_methods_supported":                 []string{"S256"},
		"token_endpoint_auth_methods_supported":            authMethods,
		"revocation_endpoint_auth_methods_supported":       authMethods,
		"introspection_endpoint_auth_methods_supported":    authMethods[:2],
		"authorization_response_iss_parameter_supported":   true,
		"service_documentation":                            s.issuer + "/",
	})
}
