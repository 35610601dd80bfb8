package ledger

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func open(t *testing.T, path string) *Ledger {
	t.Helper()
	book, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = book.Close() })
	return book
}

func TestTornLastLineIsDroppedAndWrittenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	whole := `{"seq":1,"time":"2031-05-04T12:00:00Z","kind":"api","outcome":"ok","status":200}` + "\n"
	if err := os.WriteFile(path, []byte(whole+`{"seq":2,"path":"`+strings.Repeat("/long", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Append(Entry{Kind: KindToken, Outcome: "invalid_grant"}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil || strings.Count(string(raw), "\n") != 2 || !strings.HasSuffix(string(raw), "\n") {
		t.Errorf("the file is not two whole lines: %q, %v", raw, err)
	}
	entries := open(t, path).Read(Query{})
	if len(entries) != 2 || entries[0].Status != 200 || entries[1].Seq != 2 || entries[1].Outcome != "invalid_grant" {
		t.Errorf("read %+v", entries)
	}
}

func TestSpoiltLineIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := os.WriteFile(path, []byte("not JSON\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("opened with %v", err)
	}
}

func TestRead(t *testing.T) {
	book := open(t, filepath.Join(t.TempDir(), "ledger.jsonl"))
	for _, entry := range []Entry{{Kind: KindToken, Family: "f"}, {Kind: KindAPI}, {Kind: KindToken, Family: "g"}, {Kind: KindAPI}} {
		if err := book.Append(entry); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		query Query
		want  []uint64
	}{
		"all":         {Query{}, []uint64{1, 2, 3, 4}},
		"since":       {Query{Since: 2}, []uint64{3, 4}},
		"past end":    {Query{Since: 9}, nil},
		"kind":        {Query{Kind: KindToken}, []uint64{1, 3}},
		"family":      {Query{Family: "g"}, []uint64{3}},
		"limit":       {Query{Kind: KindAPI, Limit: 1}, []uint64{2}},
		"since, kind": {Query{Since: 1, Kind: KindToken}, []uint64{3}},
	} {
		t.Run(name, func(t *testing.T) {
			got := book.Read(test.query)
			if len(got) != len(test.want) {
				t.Fatalf("read %+v, want %v", got, test.want)
			}
			for i, entry := range got {
				if entry.Seq != test.want[i] {
					t.Errorf("entry %d is %d, want %d", i, entry.Seq, test.want[i])
				}
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	// The first digits of SHA-256("abc"), FIPS 180-2 appendix B.1.
	if got := Fingerprint("abc"); got != "ba7816bf8f01" {
		t.Errorf("fingerprint %q", got)
	}
	if got := Fingerprint(""); got != "" {
		t.Errorf("fingerprint of nothing %q", got)
	}
}
