package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"
)

func owned(t *testing.T, names ...string) map[string]*house {
	t.Helper()
	h := &house{}
	for _, name := range names {
		h.has(t, "development/sandbox/"+name, "ConnectionStatus", "Active", "ConnectionOwner", "ada")
	}
	return map[string]*house{"development": h, "staging": {}}
}

func TestBulkDisconnectNeedsAWord(t *testing.T) {
	houses := owned(t, "a", "b")
	code, _, errOut := runIn(t, houses, nil, "connections", "disconnect", "--owner", "ada")
	if code != exitUsage || !strings.Contains(errOut, "--dry-run") || len(houses["development"].ended) != 0 {
		t.Errorf("%d %s", code, errOut)
	}
	code, out, _ := runIn(t, houses, used{}, "connections", "disconnect", "--owner", "ada", "--dry-run")
	if code != 0 || !strings.Contains(out, "2 connections of ada would be disconnected") || len(houses["development"].ended) != 0 {
		t.Errorf("%d %s", code, out)
	}
}

func TestBulkDisconnectReportsEach(t *testing.T) {
	houses := owned(t, "a", "b", "gone")
	code, out, errOut := runIn(t, houses, nil, "connections", "disconnect", "--owner", "ada", "--yes", "--status", "Active")
	if code != 0 || !strings.Contains(out, "3 connections of ada disconnected; the grants: 1 gone, 2 revoked") || len(houses["development"].ended) != 3 {
		t.Errorf("%d %s%s", code, out, errOut)
	}
	if query := houses["staging"].queries[0]; !strings.Contains(query, "ConnectionOwner = 'ada'") || !strings.Contains(query, "ConnectionStatus = 'Active'") {
		t.Error(query)
	}

	houses = owned(t, "a", "stuck")
	code, out, errOut = runIn(t, houses, nil, "connections", "disconnect", "--owner", "ada", "--yes", "--output", "json")
	var report bulkReport
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Counts["failed"] != 1 || report.Counts["revoked"] != 1 || len(report.Results) != 2 {
		t.Errorf("%v %s", err, out)
	}
	if code != exitUnavailable || !strings.Contains(errOut, "1 of 2 connections could not be disconnected") {
		t.Errorf("%d %s", code, errOut)
	}
}

func TestBulkDisconnectIsNotDoneWithoutAllEnvironments(t *testing.T) {
	houses := owned(t, "a")
	houses["staging"].away = true
	code, out, _ := runIn(t, houses, nil, "connections", "disconnect", "--owner", "ada", "--yes")
	if code != exitUnavailable || !strings.Contains(out, "1 revoked") {
		t.Errorf("%d %s", code, out)
	}
}

func TestPreviewIsBounded(t *testing.T) {
	names := make([]string, 25)
	for i := range names {
		names[i] = "c" + string(rune('a'+i))
	}
	_, out, _ := runIn(t, owned(t, names...), used{}, "connections", "disconnect", "--owner", "ada", "--dry-run")
	if strings.Count(out, "sandbox") != previewMost || !strings.Contains(out, "and 5 more") {
		t.Error(out)
	}
}

func TestTimesOfFlags(t *testing.T) {
	now := time.Date(2026, 11, 22, 1, 2, 3, 4, time.UTC)
	for text, want := range map[string]string{"2027-01-31": "2027-01-31T00:00:00Z", "2027-01-31T12:00:00+02:00": "2027-01-31T10:00:00Z",
		"14d": "2026-12-06T01:02:03Z", "36h": "2026-11-23T13:02:03Z"} {
		if got, err := parseWhen("f", text, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "soon", "-1d", "-5m", "9999999999999999999d", "40000d", "d", "31.1.2027", "2027-13-01"} {
		if got, err := parseWhen("f", text, now); connection.TypeOf(err) != connection.ErrInvalidInput {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	for d, want := range map[time.Duration]string{6 * time.Hour: "6h", 15 * time.Minute: "15m", 90 * time.Second: "1m30s", 24 * time.Hour: "1d", 90 * time.Minute: "1h30m"} {
		if got := span(d); got != want {
			t.Errorf("%s: %s", want, got)
		}
	}
}

func TestLimitsOfArguments(t *testing.T) {
	for want, raw := range map[string]string{"1 to 100": `{"minimum":1,"maximum":100}`, "at least 0.5": `{"minimum":0.5}`, "at most 9": `{"maximum":9}`,
		`one of "a", "b"`: `{"enum":["a","b"]}`, "": `{"type":"integer"}`} {
		if got := schemaOf(json.RawMessage(raw)).limits(); got != want {
			t.Errorf("%s: %q", raw, got)
		}
	}
}

func TestHowAnActionStands(t *testing.T) {
	now := time.Now()
	for want, progress := range map[string]workflows.ActionProgress{
		"": {Attempt: 1},
		"waiting for a person; attempt 3 comes in 20 seconds": {Attempt: 3, Reason: "waiting for a person", Next: now.Add(20 * time.Second)},
		"503; attempt 2 runs": {Attempt: 2, Reason: "503"},
	} {
		if got := stands(progress, now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
