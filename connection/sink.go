package connection

import (
	"encoding/base64"
	"net/url"
	"strings"
	"time"
)

// SinkKind says in which form alerts are delivered. It is public contract.
type SinkKind string

const (
	// SinkWebhook takes signed JSON: https://www.standardwebhooks.com.
	SinkWebhook SinkKind = "webhook"
	// SinkSlack takes {"text": …}, as Slack's incoming webhooks and those that imitate them.
	SinkSlack SinkKind = "slack"
)

// SinkKinds lists every kind.
func SinkKinds() []SinkKind { return []SinkKind{SinkWebhook, SinkSlack} }

// Sink is where the alerts of an environment are delivered, as Vault holds it.
type Sink struct {
	Kind SinkKind
	// URL is secret: whoever knows a Slack-compatible one can write there.
	URL Secret
	// Keys sign what a webhook is sent, the current one first. Nil for other kinds.
	Keys []SinkKey
	// Disabled is why nothing is delivered any more; "" while it is.
	Disabled string
	// From is the inbox entry that the sink was last made of: a write that is
	// repeated after a crash recognises its own work by it.
	From InboxRef
}

// SinkKey is a signing key of a webhook.
type SinkKey struct {
	// Secret is "whsec_" and 24 to 64 bytes in base64.
	Secret Secret
	// Until is when a replaced key is no longer signed with, in Vault's time; zero for the current one.
	Until time.Time
}

// SinkKeyPrefix begins every signing key, by the Standard Webhooks specification.
const SinkKeyPrefix = "whsec_"

// sinkURLMax bounds a URL; browsers and servers take no longer ones either.
const sinkURLMax = 2048

// Good are the keys to sign with at a time: after a rotation both, until the old one ends.
func (s Sink) Good(now time.Time) []SinkKey {
	var good []SinkKey
	for _, key := range s.Keys {
		if key.Until.IsZero() || now.Before(key.Until) {
			good = append(good, key)
		}
	}
	return good
}

// Host is scheme and host of a webhook, for people to recognise it by; "" for other
// kinds, whose URL is secret as a whole.
func (s Sink) Host() string {
	u, err := url.Parse(s.URL.Reveal())
	if err != nil || s.Kind != SinkWebhook {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// Check reports, as an ErrInvalidInput that repeats no secret, what a sink cannot have.
func (s Sink) Check() error {
	if err := CheckSinkURL(s.URL); err != nil {
		return err
	}
	switch s.Kind {
	case SinkSlack:
		return nil
	case SinkWebhook:
		if len(s.Keys) == 0 {
			return InvalidInput("key", "a webhook needs a signing key", "leave it in the inbox as \"key\"")
		}
		for _, key := range s.Keys {
			if err := checkSinkKey(key.Secret); err != nil {
				return err
			}
		}
		return nil
	}
	return InvalidInput("kind", "there is no such kind of sink", `use "webhook" or "slack"`)
}

// CheckSinkURL reports, as an ErrInvalidInput that does not repeat it, a URL that cannot be posted to.
func CheckSinkURL(secret Secret) error {
	text := secret.Reveal()
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" || len(text) > sinkURLMax {
		return InvalidInput("url", "this is not a URL that can be posted to", "give one that begins with https://")
	}
	return nil
}

func checkSinkKey(secret Secret) error {
	encoded, prefixed := strings.CutPrefix(secret.Reveal(), SinkKeyPrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !prefixed || err != nil || len(key) < 24 || len(key) > 64 {
		return InvalidInput("key", "this is not a signing key", "use "+SinkKeyPrefix+" and 24 to 64 random bytes in base64")
	}
	return nil
}
