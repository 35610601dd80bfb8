package api

import (
	"net/http"
	"strings"
	"testing"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/gateway/backend"
	"connectedapps/workflows"
)

func TestAuthConfigs(t *testing.T) {
	b := newBench(t)
	var list AuthConfigList
	b.do("viewer", "GET", "/auth-configs?environment=development&count=true", "").json(http.StatusOK, &list)
	if len(list.Items) != 1 || list.Items[0].ID != "development/atlas/acme" || *list.Items[0].UsedBy != 3 {
		t.Errorf("%+v", list)
	}
	const path = "/auth-configs/development/atlas/acme"
	var config AuthConfig
	b.do("viewer", "GET", path, "").json(http.StatusOK, &config)
	if *config.UsedBy != 1 || config.Users[0].Connection != "development/atlas/main" || config.ClientID != "c" {
		t.Errorf("%+v", config)
	}
	b.do("admin", "POST", "/auth-configs", `{"environment":"development","app":"atlas","name":"acme","method":"oauth","client_id":"c","secrets":{"client_secret":"`+canary+`"},"expires":"2026-03-01T12:00:00Z"}`).
		json(http.StatusCreated, nil)
	in := b.last("CreateAuthConfig").(activities.StoreAuthConfigInput)
	if in.Inbox != "entry-1" || b.left[0]["client_secret"].Reveal() != canary || !in.Expires.Equal(testTime) || in.Method != "oauth" {
		t.Errorf("%+v", in)
	}
	p := b.do("admin", "POST", "/auth-configs", `{"environment":"development","app":"atlas","name":"acme","client_id":"c"}`).problem(http.StatusBadRequest, "InvalidInput")
	if p.Field != "secrets.client_secret" {
		t.Errorf("field %q", p.Field)
	}
	b.do("admin", "POST", "/auth-configs", `{"environment":"development","app":"atlas","name":"acme","client_id":"c","public":true}`).json(http.StatusCreated, nil)
	b.do("admin", "POST", "/auth-configs", `{"environment":"development","app":"atlas","name":"acme","method":"key","secrets":{"api_key":"`+canary+`"}}`).json(http.StatusCreated, nil)

	left := len(b.left)
	b.do("admin", "POST", path+"/rotate", `{"secrets":{"client_secret":"`+canary+`"},"client_id":"c"}`).json(http.StatusOK, nil)
	if in := b.last("RotateAuthConfig").(workflows.Rotate); in.Inbox == "" || in.ClientID != "c" || len(b.left) != left+1 {
		t.Errorf("%+v", in)
	}
	for _, wrong := range []string{`{"secrets":{"client_secret":"x"},"client_id":"other"}`, `{"secrets":{}}`, `{"secrets":{"nonsense":"x"}}`, `{"secrets":{"client_secret":""}}`} {
		b.do("admin", "POST", path+"/rotate", wrong).problem(http.StatusBadRequest, "InvalidInput")
	}
	b.config.Public = true
	b.do("admin", "POST", path+"/rotate", `{"secrets":{"client_secret":"x"}}`).problem(http.StatusBadRequest, "InvalidInput")
	if len(b.left) != left+1 {
		t.Error("a refused rotation left a secret")
	}
	b.do("admin", "POST", path+"/retire", `{"undo":true}`).json(http.StatusOK, nil)
	b.do("admin", "DELETE", path, "").json(http.StatusNoContent, nil)
	if b.last("RetireAuthConfig") != (workflows.Retire{Undo: true}) || b.last("DeleteAuthConfig") != "acme" {
		t.Error("not what was asked for")
	}
	b.fails["DeleteAuthConfig"] = connection.Refused(connection.ErrAuthConfigInUse, "in use", "move them")
	b.do("admin", "DELETE", path, "").problem(http.StatusConflict, "AuthConfigInUse")
}

func TestAlerts(t *testing.T) {
	b := newBench(t)
	var list AlertList
	b.do("viewer", "GET", "/alerts?environment=development&kind=expired&connection=development/atlas/main", "").json(http.StatusOK, &list)
	if len(list.Items) != 1 || b.last("ListAlerts") != (workflows.AlertFilter{Kind: connection.AlertExpired, Connection: "development/atlas/main"}) {
		t.Errorf("%+v %+v", list, b.last("ListAlerts"))
	}
	var alert AlertDetails
	path := strings.TrimPrefix(list.Items[0].ID, "alert")
	b.do("viewer", "GET", "/alerts"+path, "").json(http.StatusOK, &alert)
	if alert.ID != list.Items[0].ID {
		t.Errorf("%+v", alert)
	}
	b.do("viewer", "GET", "/alerts/auth-config/development/atlas/acme/client-refused-1", "").json(http.StatusOK, &alert)
	if alert.ID != "alert/auth-config/development/atlas/acme/client-refused-1" {
		t.Errorf("%+v", alert)
	}
	b.do("operator", "POST", "/alerts"+path+"/resolve", `{"reason":"done"}`).json(http.StatusOK, &alert)
	b.do("operator", "POST", "/alerts/auth-config/development/atlas/acme/client-refused-1/resolve", "").json(http.StatusOK, &alert)
	if b.last("ResolveAlert") != "alert/auth-config/development/atlas/acme/client-refused-1" {
		t.Errorf("%v", b.last("ResolveAlert"))
	}
	b.do("viewer", "GET", "/alerts?connection=nonsense", "").problem(http.StatusBadRequest, "InvalidInput")
}

// An environment may be called as a part of another alert's ID is.
func TestAlertsAreOfTheEnvironmentThatWasChecked(t *testing.T) {
	b := newBench(t)
	b.api.environments = backend.NewSet(backend.Environment{Name: "auth-config", Client: b.fake}, backend.Environment{Name: "development", Client: b.fake})
	b.do("odd", "GET", "/alerts/auth-config/development/atlas/acme%2Fclient-refused-1", "").problem(http.StatusNotFound, "AlertNotFound")
	b.do("odd", "GET", "/alerts/auth-config/atlas/main/expired-1", "").json(http.StatusOK, nil)
}

func TestSinks(t *testing.T) {
	b := newBench(t)
	const sinks = "/alert-sinks/development"
	var list SinkList
	b.do("viewer", "GET", sinks, "").json(http.StatusOK, &list)
	var made StoredSink
	b.do("admin", "POST", sinks, `{"name":"ops","kind":"webhook","url":"https://ops.example/`+canary+`"}`).json(http.StatusCreated, &made)
	if len(list.Items) != 1 || !strings.HasPrefix(made.Key, connection.SinkKeyPrefix) || b.left[0]["key"].Reveal() != made.Key || !strings.HasSuffix(b.left[0]["url"].Reveal(), canary) {
		t.Errorf("%+v", made)
	}
	own := connection.SinkKeyPrefix + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	made = StoredSink{}
	b.do("admin", "POST", sinks, `{"name":"ops","kind":"webhook","url":"https://ops.example/","key":"`+own+`"}`, withKey("k")).json(http.StatusCreated, &made)
	if made.Key != "" {
		t.Error("a key that was given is answered")
	}
	left := len(b.left)
	for name, wrong := range map[string]string{
		"plain http":  `{"name":"ops","kind":"webhook","url":"http://ops.example/"}`,
		"no key":      `{"name":"ops","kind":"webhook","url":"https://ops.example/","key":"whsec_x"}`,
		"signed chat": `{"name":"ops","kind":"slack","url":"https://ops.example/","key":"` + own + `"}`,
		"no name":     `{"name":"Ops","kind":"slack","url":"https://ops.example/"}`,
	} {
		if w := b.do("admin", "POST", sinks, wrong); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if p := b.do("admin", "POST", sinks, `{"name":"ops","kind":"webhook","url":"https://ops.example/"}`, withKey("k")).problem(http.StatusBadRequest, "InvalidInput"); p.Field != "key" {
		t.Errorf("field %q", p.Field)
	}
	b.do("admin", "POST", sinks+"/none/rotate", "").problem(http.StatusNotFound, "SinkNotFound")
	if len(b.left) != left {
		t.Error("a refused sink left a secret")
	}
	b.do("admin", "POST", sinks+"/ops/rotate", "").json(http.StatusOK, &made)
	if !strings.HasPrefix(made.Key, connection.SinkKeyPrefix) || b.last("RotateSink").(workflows.RotateSink).Inbox == "" {
		t.Errorf("%+v", made)
	}
	b.do("admin", "POST", sinks+"/ops/test", "").json(http.StatusOK, nil)
	b.do("admin", "DELETE", sinks+"/ops", "").json(http.StatusNoContent, nil)
}

func TestConnectSessions(t *testing.T) {
	b := newBench(t)
	body := `{"environment":"development","app":"atlas","owner":"u","return_to":"https://platform.example/done?x=1","expires_in":600}`
	var made, other NewSessionLink
	b.do("operator", "POST", "/connect-sessions", body).json(http.StatusCreated, &made)
	in := b.last("CreateConnectSession").(workflows.ConnectSessionInput)
	token := made.URL[strings.LastIndex(made.URL, "/")+1:]
	if made.URL != site+"/connect-session/development/"+in.Session+"/"+token || len(token) != 40 || in.TokenSHA256 != hashOf([]byte(token)) || in.Life.Seconds() != 600 ||
		!strings.HasPrefix(in.Connection.String(), "development/atlas/atlas-") || in.RequestedBy != "OPERATOR" {
		t.Errorf("%+v %+v", made, in)
	}
	b.do("operator", "POST", "/connect-sessions", strings.Replace(body, `,"expires_in":600`, `,"name":"mine"`, 1)).json(http.StatusCreated, &other)
	if in := b.last("CreateConnectSession").(workflows.ConnectSessionInput); other.URL == made.URL || in.Connection != "development/atlas/mine" || in.Life.Seconds() != sessionLife {
		t.Errorf("%+v", in)
	}
	for _, to := range []string{"https://evil.example", "https://platform.example.evil.example", "http://platform.example", "javascript:alert(1)",
		"https://user@platform.example", "//platform.example", "http://127.0.0.1:9000/", "https://platform.example:8443/"} {
		b.do("operator", "POST", "/connect-sessions", `{"environment":"development","app":"atlas","owner":"u","return_to":"`+to+`"}`).problem(http.StatusBadRequest, "InvalidInput")
	}
	b.do("operator", "POST", "/connect-sessions", body, withKey("k")).problem(http.StatusBadRequest, "InvalidInput")
	b.do("operator", "POST", "/connect-sessions", `{"environment":"development","app":"atlas"}`).problem(http.StatusBadRequest, "InvalidInput")
	if b.count("CreateConnectSession") != 2 {
		t.Error("a refused session was made")
	}
	for _, w := range []answer{
		b.do("viewer", "GET", "/connect-sessions/development/"+in.Session, "").json(http.StatusOK, nil),
		b.do("operator", "DELETE", "/connect-sessions/development/"+in.Session+"?reason=x", "").json(http.StatusOK, nil),
		b.do("operator", "POST", "/connect-sessions", body).json(http.StatusCreated, nil),
	} {
		in := b.last("CreateConnectSession").(workflows.ConnectSessionInput)
		for _, hash := range []string{in.TokenSHA256, hashOf([]byte("token")), hashOf([]byte("browser"))} {
			if strings.Contains(w.Body.String(), hash) || strings.Count(w.Body.String(), token) > 0 {
				t.Errorf("the link is told again, or its hash is: %s", w.Body)
			}
		}
	}
	if b.last("CancelConnectSession") != "x" {
		t.Error("the reason is lost")
	}
}
