package connection

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.temporal.io/sdk/converter"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

const canary = "hunter2-canary"

// holders are everything here that holds secrets.
func holders() map[string]any {
	secret := NewSecret(canary)
	credential := Credential{Method: "m", Fields: map[string]Secret{"key": secret},
		Tokens: map[string]Token{DefaultToken: {Access: secret, Refresh: secret}}}
	return map[string]any{
		"secret": secret, "pointer": &secret, "slice": []Secret{secret}, "map": map[string]Secret{"x": secret},
		"token": credential.Default(), "credential": credential, "document": Document{Credential: credential},
		"stored": Stored{Document: Document{Credential: credential}}, "config": AuthConfig{ClientSecret: secret, Fields: credential.Fields},
		"attempt": Attempt{Verifier: secret}, "in any": struct{ X any }{secret}, "unexported": struct{ x Secret }{secret},
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	hidden := func(t *testing.T, how, text string) {
		t.Helper()
		for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprintf("%d", []byte(canary))} {
			if strings.Contains(text, strings.Trim(form, "[]")) {
				t.Errorf("%s shows it: %s", how, text)
			}
		}
	}
	for name, value := range holders() {
		t.Run(name, func(t *testing.T) {
			for _, verb := range "vTtbcdoOqxXUeEfFgGsyzpw" { // fmt asks no method for the last two
				for _, flags := range []string{"", "+", "#", "-", " ", "0", "10.3"} {
					format := "%" + flags + string(verb)
					hidden(t, format, fmt.Sprintf(format, value))
				}
			}
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			hidden(t, "JSON", string(text))
			payload, err := converter.GetDefaultDataConverter().ToPayload(value)
			if err != nil {
				t.Fatal(err)
			}
			hidden(t, "a payload", string(payload.GetData()))

			var log bytes.Buffer
			for _, handler := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
				slog.New(handler).Info("m", "value", value)
			}
			sink := zapcore.AddSync(&log)
			for _, encoder := range []zapcore.Encoder{zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), zapcore.NewConsoleEncoder(zapcore.EncoderConfig{})} {
				logger := zap.New(zapcore.NewCore(encoder, sink, zap.DebugLevel))
				logger.Info("m", zap.Any("value", value), zap.Reflect("again", value))
				logger.Sugar().Infow("m", "value", value)
				logger.Sugar().Infof("%v %+v %#v", value, value, value)
			}
			hidden(t, "a log", log.String())
		})
	}
	text, err := NewSecret(canary).MarshalText()
	if err != nil || string(text) != redacted || NewSecret(canary).Reveal() != canary {
		t.Errorf("text %q, %v", text, err)
	}
}

func TestSecretsDoNotComeInByJSON(t *testing.T) {
	var in struct{ Key Secret }
	if err := json.Unmarshal([]byte(`{"Key":"`+canary+`"}`), &in); err == nil || strings.Contains(err.Error(), canary) || !in.Key.Empty() {
		t.Fatalf("%v", err)
	}
}

func TestSecretsAreListedForScrubbing(t *testing.T) {
	c := Credential{Tokens: map[string]Token{DefaultToken: {Access: NewSecret("a"), Refresh: NewSecret("b")}, "user": {Access: NewSecret("c")}},
		Fields: map[string]Secret{"x": NewSecret("d"), "empty": {}}}
	if got := c.Secrets(); len(got) != 4 {
		t.Errorf("%d secrets, want 4", len(got))
	}
}
