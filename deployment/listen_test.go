package deployment

import (
	"net/netip"
	"testing"
)

func TestTheGatewayListensOnLoopback(t *testing.T) {
	listens := func() bool {
		settings, err := Read()
		if err != nil {
			t.Fatal(err)
		}
		at, err := netip.ParseAddrPort(settings.Listen)
		if err != nil {
			t.Fatal(err)
		}
		return at.Addr().IsLoopback()
	}
	t.Setenv("CONNECTED_APPS_LISTEN", "")
	if !listens() {
		t.Error("by default it is open to others")
	}
	t.Setenv("CONNECTED_APPS_LISTEN", "0.0.0.0:8400")
	if listens() {
		t.Error("it does not listen where it is told to")
	}
}
