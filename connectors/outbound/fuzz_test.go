package outbound

import (
	"net/netip"
	"testing"
)

// never are the ranges that nothing is connected to in, written down a second time from the registries of IANA and
// not taken from where the guard has them. What a transition range embeds is an address of IPv4, of whichever kind.
var never = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),        // this network
	netip.MustParsePrefix("10.0.0.0/8"),       // private
	netip.MustParsePrefix("100.64.0.0/10"),    // shared, carrier-grade NAT
	netip.MustParsePrefix("127.0.0.0/8"),      // loopback
	netip.MustParsePrefix("168.63.129.16/32"), // metadata of Azure
	netip.MustParsePrefix("169.254.0.0/16"),   // link-local, metadata
	netip.MustParsePrefix("172.16.0.0/12"),    // private
	netip.MustParsePrefix("192.0.0.0/24"),     // protocol assignments, metadata of Oracle Cloud
	netip.MustParsePrefix("192.0.2.0/24"),     // documentation
	netip.MustParsePrefix("192.88.99.0/24"),   // relays of 6to4
	netip.MustParsePrefix("192.168.0.0/16"),   // private
	netip.MustParsePrefix("198.18.0.0/15"),    // benchmarking
	netip.MustParsePrefix("198.51.100.0/24"),  // documentation
	netip.MustParsePrefix("203.0.113.0/24"),   // documentation
	netip.MustParsePrefix("224.0.0.0/3"),      // multicast, reserved, broadcast
	netip.MustParsePrefix("::/96"),            // unspecified, loopback, IPv4-compatible
	netip.MustParsePrefix("::ffff:0:0/96"),    // IPv4-mapped
	netip.MustParsePrefix("64:ff9b::/96"),     // NAT64
	netip.MustParsePrefix("64:ff9b:1::/48"),   // NAT64 of a network's own
	netip.MustParsePrefix("100::/64"),         // discard
	netip.MustParsePrefix("2001::/32"),        // Teredo
	netip.MustParsePrefix("2001:db8::/32"),    // documentation
	netip.MustParsePrefix("2002::/16"),        // 6to4
	netip.MustParsePrefix("3fff::/20"),        // documentation
	netip.MustParsePrefix("fc00::/7"),         // unique local
	netip.MustParsePrefix("fe80::/10"),        // link-local
	netip.MustParsePrefix("fec0::/10"),        // site-local
	netip.MustParsePrefix("ff00::/8"),         // multicast
}

// Whatever is an address, as text or as its bytes: none of a range above is reached, and of 6to4 and NAT64 none
// whatever it embeds. The first and the last of each range are among the seeds.
func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"127.0.0.1", "8.8.8.8", "::1", "::ffff:1.2.3.4", "2606:4700::1", "fe80::1%eth0", "\x64\x40\x00\x01", "64:ff9b::10.0.0.1", "2002:a00:1::", "2001:0:a00:1::"} {
		f.Add(seed)
	}
	for _, prefix := range never {
		first, last := prefix.Masked().Addr().AsSlice(), prefix.Masked().Addr().AsSlice()
		for bit := prefix.Bits(); bit < 8*len(last); bit++ {
			last[bit/8] |= 0x80 >> (bit % 8)
		}
		f.Add(string(first))
		f.Add(string(last))
	}
	check := classifier(nil)
	f.Fuzz(func(t *testing.T, text string) {
		addr, err := netip.ParseAddr(text)
		if bytes, ok := netip.AddrFromSlice([]byte(text)); err != nil && ok {
			addr, err = bytes, nil
		}
		if err != nil || check(addr) != nil {
			return
		}
		if addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified() || addr.Is4In6() {
			t.Errorf("%s is reached", addr)
		}
		for _, prefix := range never {
			if prefix.Contains(addr.WithZone("")) {
				t.Errorf("%s is reached, which is in %s", addr, prefix)
			}
		}
	})
}
