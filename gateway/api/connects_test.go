package api

import (
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

func TestConnectByLink(t *testing.T) {
	b := newBench(t)
	b.exists = false
	var begun Begun
	b.do("operator", "POST", "/connections", `{"connection":"development/atlas/new","method":"oauth2-code","auth_config":"acme","owner":"o","access":"read"}`).
		json(http.StatusAccepted, &begun)
	if begun.Flow != "browser" || begun.Link == nil || !strings.HasPrefix(begun.Link.URL, site+"/connect/") || begun.Progress != nil {
		t.Errorf("%+v", begun)
	}
	in := b.last("RequestLink").(workflows.ConnectInput)
	if in.Method != "oauth" || in.RequestedBy != "OPERATOR" || in.Owner != "o" || in.Access != "read" || in.AuthConfig != "acme" {
		t.Errorf("%+v", in)
	}
	b.do("operator", "POST", "/connections", `{"connection":"development/atlas/new","method":"oauth","auth_config":"acme","secrets":{"api_key":"`+canary+`"}}`).
		problem(http.StatusBadRequest, "InvalidInput")
	b.do("operator", "POST", "/connections", `{"connection":"development/atlas/new","method":"oauth"}`).problem(http.StatusBadRequest, "InvalidInput")
	for _, entry := range b.logs.All() {
		if strings.Contains(entry.Message, "/connect/") {
			t.Error("the link is in the log")
		}
	}
}

func TestConnectBySecret(t *testing.T) {
	b := newBench(t)
	body := `{"connection":"development/atlas/new","method":"key","secrets":{"api_key":"` + canary + `"},"values":{"region":"eu"}}`
	b.do("operator", "POST", "/connections", body).problem(http.StatusConflict, "ConnectionIDTaken")
	if len(b.left) > 0 {
		t.Fatal("a secret was left for a name that is taken")
	}
	b.exists = false
	var begun Begun
	b.do("operator", "POST", "/connections", body).json(http.StatusAccepted, &begun)
	if begun.Progress == nil || begun.Progress.Phase != "test-failed" || begun.Flow != "input" {
		t.Errorf("%+v", begun)
	}
	if len(b.left) != 1 || b.left[0]["api_key"].Reveal() != canary {
		t.Errorf("left %v", b.left)
	}
	if in := b.last("Connect").([]any); in[1] != connection.InboxRef("entry-1") || in[0].(workflows.ConnectInput).Values["region"] != "eu" {
		t.Errorf("%v", in)
	}
	b.progress.Phase = workflows.PhaseActive
	b.do("operator", "POST", "/connections", body).json(http.StatusCreated, nil)
	p := b.do("operator", "POST", "/connections", `{"connection":"development/atlas/new","method":"key"}`).problem(http.StatusBadRequest, "InvalidInput")
	if p.Field != "secrets.api_key" || len(b.left) != 2 {
		t.Errorf("field %q", p.Field)
	}
}

func TestConnectByDevice(t *testing.T) {
	b := newBench(t)
	b.exists = false
	var begun Begun
	b.do("operator", "POST", "/connections", `{"connection":"development/atlas/new","method":"device","auth_config":"acme"}`).json(http.StatusAccepted, &begun)
	if begun.Device == nil || begun.Device.UserCode != "WDJB-MJHT" {
		t.Errorf("%+v", begun)
	}
}

func TestReconnect(t *testing.T) {
	b := newBench(t)
	var begun Begun
	b.do("operator", "POST", one+"/reconnect", "").json(http.StatusAccepted, &begun)
	if begun.Flow != "input" || begun.Progress != nil || b.count("Connect") != 0 {
		t.Errorf("without secrets: %+v", begun)
	}
	b.do("operator", "POST", one+"/reconnect", `{"secrets":{"api_key":"`+canary+`"},"access":"read","allow_other_account":true}`).json(http.StatusAccepted, &begun)
	if begun.Progress == nil || b.count("Connect") != 1 || len(b.left) != 1 {
		t.Errorf("with secrets: %+v", begun)
	}
	if in := b.last("Reconnect").(workflows.ReconnectInput); in.Method != "" || in.Access != "read" || !in.AllowOtherAccount || in.RequestedBy != "OPERATOR" {
		t.Errorf("%+v", in)
	}
	b.do("operator", "POST", one+"/reconnect", `{"method":"oauth"}`).json(http.StatusAccepted, &begun)
	if begun.Link == nil || b.last("RequestLink").(workflows.ConnectInput).Mode != workflows.ModeReplace {
		t.Errorf("another method: %+v", begun)
	}
}

func TestConnectSteps(t *testing.T) {
	b := newBench(t)
	b.do("operator", "POST", one+"/connect/credential", `{"secrets":{"api_key":"`+canary+`"},"values":{"region":"us"}}`).json(http.StatusOK, nil)
	if in := b.last("ProvideCredential").(workflows.ProvideCredential); in.Inbox != "entry-1" || in.Values["region"] != "us" {
		t.Errorf("%+v", in)
	}
	b.progress.Phase = workflows.PhaseAnswer
	b.progress.Question = &activities.Question{Step: "code", Title: "?", Fields: []activities.Field{{Name: "otp", Secret: true}, {Name: "device"}}}
	b.do("operator", "POST", one+"/connect/answer", `{"step":"code","secrets":{"otp":"`+canary+`"},"values":{"device":"d"}}`).json(http.StatusOK, nil)
	if in := b.last("AnswerStep").(workflows.AnswerStep); in.Inbox != "entry-2" || in.Step != "code" || in.Values["device"] != "d" {
		t.Errorf("%+v", in)
	}
	for _, wrong := range []string{`{"step":"other"}`, `{"step":"code","values":{"otp":"` + canary + `"}}`, `{"step":"code","secrets":{"device":"x"}}`, `{"step":"code","values":{"x":"y"}}`} {
		b.do("operator", "POST", one+"/connect/answer", wrong).problem(http.StatusBadRequest, "InvalidInput")
	}
	if b.count("AnswerStep") != 1 || len(b.left) != 2 {
		t.Error("a refused answer had an effect")
	}
	b.do("operator", "POST", one+"/connect/choice", `{"id":"7"}`).json(http.StatusOK, nil)
	b.do("operator", "POST", one+"/connect/test", "").json(http.StatusOK, nil)
	b.do("operator", "POST", one+"/connect/approve", `{"actions":["list-maps"]}`).json(http.StatusOK, nil)
	b.do("operator", "DELETE", one+"/connect?reason=changed", "").json(http.StatusNoContent, nil)
	if !reflect.DeepEqual(b.last("Approve"), workflows.Approve{Actions: []string{"list-maps"}}) || b.last("CancelConnect") != (workflows.Reason{Reason: "changed"}) ||
		b.last("ChooseAccount") != (workflows.ChooseAccount{ID: "7"}) {
		t.Errorf("%v %v", b.last("Approve"), b.last("CancelConnect"))
	}
	b.fails["TestConnect"] = connection.NotFound("development/atlas/main")
	b.do("operator", "POST", one+"/connect/test", "").problem(http.StatusGone, "SessionClosed")
}

func TestLinkOfAnOpenConnect(t *testing.T) {
	b := newBench(t)
	b.do("operator", "POST", one+"/connect/link", "").problem(http.StatusBadRequest, "InvalidInput") // its flow is input
	b.progress = workflows.Progress{Phase: workflows.PhaseAuthorization, Plan: plans["oauth"]}
	b.do("operator", "POST", one+"/connect/link", "").json(http.StatusOK, nil)
	if b.last("RequestLink").(workflows.ConnectInput).Fingerprint != "f" {
		t.Error("it is not the open connect that is asked for a link")
	}
	b.progress.Phase = workflows.PhaseFailed
	b.do("operator", "POST", one+"/connect/link", "").problem(http.StatusGone, "SessionClosed")
}

// A viewer must not be able to authorize in somebody else's stead.
func TestViewersGetNoLinkAndNoCode(t *testing.T) {
	b := newBench(t)
	b.progress = workflows.Progress{Phase: workflows.PhaseDevice, Plan: plans["device"],
		Device:   &workflows.DevicePrompt{UserCode: "WDJB-MJHT", Expires: testTime},
		Attempts: []workflows.AttemptState{{ID: "attempt-id", State: workflows.AttemptOpen, Expires: time.Now(), StateSHA256: "state-hash"}}}
	if text := b.do("viewer", "GET", one+"/connect", "").Body.String(); strings.Contains(text, "WDJB") || strings.Contains(text, "attempt-id") || strings.Contains(text, "state-hash") {
		t.Errorf("a viewer reads %s", text)
	}
	if text := b.do("operator", "GET", one+"/connect", "").Body.String(); !strings.Contains(text, "WDJB") || strings.Contains(text, "state-hash") {
		t.Errorf("an operator reads %s", text)
	}
}

func TestUpdateCredentials(t *testing.T) {
	b := newBench(t)
	b.do("operator", "POST", one+"/credentials", `{"secrets":{"api_key":"`+canary+`"}}`).json(http.StatusOK, nil)
	if in := b.last("UpdateCredentials").(workflows.NewCredentials); in.Inbox != "entry-1" || in.RequestedBy != "OPERATOR" {
		t.Errorf("%+v", in)
	}
	b.method = "oauth"
	b.do("operator", "POST", one+"/credentials", `{}`).problem(http.StatusBadRequest, "InvalidInput")
}
