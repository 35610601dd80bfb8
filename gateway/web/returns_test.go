package web

import (
	"testing"

	"connectedapps/connection"
)

func TestReturns(t *testing.T) {
	const away, local = "https://connect.example", "http://127.0.0.1:8080"
	for _, test := range []struct {
		site, address string
		may           bool
	}{
		{away, "https://platform.example", true}, {away, "https://platform.example/done?x=1#y", true}, {away, "https://PLATFORM.example/", true},
		{away, "https://platform.example:8443/", false}, {away, "http://platform.example/", false}, {away, "https://platform.example.evil.example/", false},
		{away, "https://user@platform.example/", false}, {away, "//platform.example/", false}, {away, "/connections", false}, {away, "", false},
		{away, "javascript:alert(1)", false}, {away, `https://platform.example\@evil.example/`, false}, {away, "https://evil.example/", false},
		{away, "http://127.0.0.1:9000/", false}, {local, "http://127.0.0.1:9000/done", true}, {local, "http://localhost:1/", true}, {local, "https://evil.example/", false},
	} {
		site, err := ParseSite(test.site)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Returns{Site: site, Origins: []string{"https://platform.example/"}}.Address(test.address)
		if (err == nil) != test.may || err != nil && connection.TypeOf(err) != connection.ErrInvalidInput {
			t.Errorf("%s from %s: %v", test.address, test.site, err)
		}
	}
}
