package connectors

import (
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now, err := http.ParseTime(testDate)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		text string
		want time.Duration
	}{
		{"30", 30 * time.Second},
		{" 30 ", 30 * time.Second},
		{"1.5", 1500 * time.Millisecond},
		{"0", 0},
		{"-5", 0},
		{"", 0},
		{"soon", 0},
		{"NaN", 0},
		{"999999999999", maxWait},
		{"1e300", maxWait},
		{"Sun, 22 Nov 2026 12:00:45 GMT", 45 * time.Second},
		{"Sunday, 22-Nov-26 12:00:45 GMT", 45 * time.Second},
		{"Sun Nov 22 12:00:45 2026", 45 * time.Second},
		{"Sun, 22 Nov 2026 11:00:00 GMT", 0},
		{"Sun, 22 Nov 2099 11:00:00 GMT", maxWait},
	}
	for _, test := range tests {
		a := &answer{header: http.Header{"Retry-After": {test.text}, "Date": {now.Format(http.TimeFormat)}}}
		if got := a.wait(nil); got != test.want {
			t.Errorf("%q: %v, want %v", test.text, got, test.want)
		}
	}
}

func TestDeclaredWaits(t *testing.T) {
	hints := []WaitHint{
		{Header: "X-Reset", Form: FormEpoch}, {Header: "X-Reset-Ms", Form: FormMilliseconds}, {Body: "retry.at", Form: FormISO},
	}
	tests := []struct {
		name   string
		header http.Header
		body   any
		want   time.Duration
	}{
		{"epoch", http.Header{"X-Reset": {"1795348860"}}, nil, time.Minute},
		{"milliseconds", http.Header{"X-Reset-Ms": {"2500"}}, nil, 2500 * time.Millisecond},
		{"body", nil, map[string]any{"retry": map[string]any{"at": "2026-11-22T12:02:00Z"}}, 2 * time.Minute},
		{"Retry-After first", http.Header{"Retry-After": {"3"}, "X-Reset": {"1795348860"}}, nil, 3 * time.Second},
		{"what is as good as nothing is passed over", http.Header{"X-Reset-Ms": {"0.0000001"}}, map[string]any{"retry": map[string]any{"at": "2026-11-22T12:02:00Z"}}, 2 * time.Minute},
		{"nothing", nil, nil, 0},
	}
	for _, test := range tests {
		header := test.header
		if header == nil {
			header = http.Header{}
		}
		header.Set("Date", testDate)
		if got := (&answer{header: header, body: test.body}).wait(hints); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}
