package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"code.dny.dev/ssrf"
)

// ErrAddress is the refusal of an address that the policy does not allow.
var ErrAddress = errors.New("the address is in a range that is not allowed")

// azureWireServer answers metadata and credentials to virtual machines on
// Azure, from an address that is registered as public.
// Source: learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
var azureWireServer = netip.MustParsePrefix("168.63.129.16/32")

// guard makes the check that runs between resolving a name and connecting. It
// refuses what the IANA registries of special-purpose addresses list, everything
// of IPv6 outside 2000::/3 (NAT64, IPv4-mapped, unique local and link-local
// addresses among it), 6to4 and Teredo.
func guard(allowed []netip.Prefix) func(network, address string, _ syscall.RawConn) error {
	check := classifier(allowed)
	return func(_, address string, _ syscall.RawConn) error {
		target, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: it is not an address", ErrAddress)
		}
		return check(target.Addr())
	}
}

// classifier decides about one address.
func classifier(allowed []netip.Prefix) func(netip.Addr) error {
	var four, six []netip.Prefix
	for _, prefix := range allowed {
		if prefix.Addr().Is4() {
			four = append(four, prefix)
		} else {
			six = append(six, prefix)
		}
	}
	guardian := ssrf.New(ssrf.WithAnyPort(),
		ssrf.WithAllowedV4Prefixes(four...), ssrf.WithAllowedV6Prefixes(six...),
		ssrf.WithDeniedV4Prefixes(azureWireServer))
	return func(addr netip.Addr) error {
		// A zone would make a prefix match nothing.
		if !addr.IsValid() || guardian.SafeAddr(addr.WithZone("")) != nil {
			return fmt.Errorf("%w: %s", ErrAddress, addr)
		}
		return nil
	}
}
