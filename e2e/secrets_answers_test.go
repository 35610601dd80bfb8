package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/workflows"
)

// told is what an agent is told of a connection and its actions, answers and failures
// alike, and the agent's own token. said is a text that the app repeats in an answer.
func told(t *testing.T, name, said string) (answers []byte, token string) {
	t.Helper()
	token = agentToken(t, name, string(id(name)))
	session := agent(t, token, "", "", nil)
	list, err := session.ListTools(within(t, time.Minute), nil)
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	write := func(answer any) {
		text, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	write(list)
	for action, arguments := range map[string]map[string]any{"whoami": nil, "create-contact": {"name": said}, "create-key": {"name": "an agent's"}, "get-contact": {"id": "nobody"}} {
		result, text := callTool(t, session, toolOf(t, session, action), arguments, nil)
		write(result)
		all.WriteString(text)
	}
	return all.Bytes(), token[strings.LastIndexByte(token, '_')+1:]
}

// leftSecrets leaves secrets in the inbox, as whoever types them in does.
func leftSecrets(t *testing.T, fields map[string]string) connection.InboxRef {
	t.Helper()
	secrets := map[string]connection.Secret{}
	for name, value := range fields {
		secrets[name] = connection.NewSecret(value)
	}
	ref, err := s.secrets.Inbox().Leave(within(t, time.Minute), secrets)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// refused connects with a secret that the app does not take: it travels as far as one
// that it takes.
func refused(t *testing.T, name, method, input, secret string) {
	t.Helper()
	open, _ := typed(method)
	if _, err := s.client.Connect(within(t, time.Minute), workflows.ConnectInput{
		ConnectRequest: activities.ConnectRequest{Connection: id(name), Method: method, Values: open}}, leftSecrets(t, map[string]string{input: secret})); err != nil {
		t.Fatal(err)
	}
	arrives(t, name, workflows.PhaseTestFailed)
}

// nobodyListens is where a message to a sink is never taken.
const nobodyListens = "http://127.0.0.1:9/"

// sink makes an alert sink of the test's own.
func sink(t *testing.T, name, url, key string) {
	t.Helper()
	if _, err := s.client.CreateSink(within(t, time.Minute), workflows.CreateSink{Name: name, Kind: connection.SinkWebhook,
		Inbox: leftSecrets(t, map[string]string{"url": url, "key": key})}); err != nil {
		t.Fatal(err)
	}
}

// handOver gives two alert sinks their URLs and keys, one that listens and one that does
// not and is given another key, and has an auth config refuse a new client secret. It
// answers these secrets, and who listens.
func handOver(t *testing.T) (map[string]string, *receiver) {
	t.Helper()
	ctx := within(t, 2*time.Minute)
	deaf, path, wrong := "sink-canary-7d865e959b2466918c98", "sink-canary-9b8769a4a742959a2d02", "rotated-canary-ca978112ca1bbdcafac2"
	first, second, third := "jPG+2TI7mxMw12yMsmF34GsR2QDEHcw7CpCzEpJE", "K2oElFelKj9/MeQDPfXimt3YxPvLeOf09UjYfffU", "q7Yw0mT+8Zb4n1Lr5VxS9/3uKcJhEoGdPi6fBtA2"
	heard := newReceiver(t)
	heard.change(func() { heard.key = "whsec_" + third })
	sink(t, "canary", nobodyListens+deaf, "whsec_"+first)
	sink(t, "canary-heard", heard.URL+"/"+path, "whsec_"+third)
	if tested, err := s.client.TestSink(ctx, "canary"); err != nil || tested.Delivered {
		t.Fatalf("%+v %v", tested, err)
	}
	if _, err := s.client.RotateSink(ctx, workflows.RotateSink{Name: "canary", Inbox: leftSecrets(t, map[string]string{"key": "whsec_" + second})}); err != nil {
		t.Fatal(err)
	}
	_, err := s.client.RotateAuthConfig(ctx, "sandbox", "oauth", workflows.Rotate{Inbox: leftSecrets(t, map[string]string{"client_secret": wrong})})
	problemOf(t, err, connection.ErrClientMisconfigured)
	return map[string]string{"sink's URL: deaf": deaf, "sink's URL: heard": path, classClientSecret + ": refused": wrong, classWebhookKey + ": first": first,
		classWebhookKey + ": that replaced it": second, classWebhookKey + ": of who listens": third}, heard
}

// alarmedBy ends a connection's grant at the app, and waits until the alert of it has been
// heard, and has failed where nobody listens.
func alarmedBy(t *testing.T, name, family string, heard *receiver) {
	t.Helper()
	s.sandbox(t, http.MethodPost, "/admin/revoke-grant", map[string]any{"family": family}, nil)
	_, err := run(t, name, "whoami", map[string]any{})
	problemOf(t, err, connection.ErrReconnectRequired)
	var alert activities.AlertMessage
	eventually(t, "the alert is heard", func() bool {
		n, opened := heard.about(name, activities.MessageOpened)
		alert = opened
		return n > 0
	})
	eventually(t, "a delivery of the alert has failed and is tried again", func() bool {
		described, err := s.client.Temporal.DescribeWorkflowExecution(within(t, time.Minute), alert.Data.Alert, "")
		if err != nil {
			return false
		}
		for _, activity := range described.GetPendingActivities() {
			if activity.GetLastFailure() != nil {
				return true
			}
		}
		return false
	})
}

// heardBy is all that a receiver got: headers and bodies.
func heardBy(r *receiver) (text []byte) {
	r.change(func() { text = bytes.Clone(r.text.Bytes()) })
	return text
}
