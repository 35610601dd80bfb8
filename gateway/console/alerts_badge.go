package console

import (
	"net/http"
	"strconv"

	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
)

// alertBadge is how many alerts are open, as the navigation says it.
type alertBadge struct {
	// Text is a number, with a plus where there are more; "" where there are none, or none is known of.
	Text string
	// Ask: not all is known yet, and the page asks once more in a moment.
	Ask bool
}

// alertBadge counts what the person may see. It waits for nobody.
func (c *Console) alertBadge(r *http.Request) alertBadge {
	var badge alertBadge
	if access.Of(r.Context()).Subject == "" {
		return badge
	}
	total, more := 0, false
	for _, e := range c.seen(r) {
		open, known := c.alerts.Open(e)
		switch {
		case !known:
			badge.Ask = true
		default:
			total, more = total+open, more || open > backend.AlertsMost
		}
	}
	switch {
	case more || total > backend.AlertsMost:
		badge.Text = strconv.Itoa(backend.AlertsMost) + "+"
	case total > 0:
		badge.Text = strconv.Itoa(total)
	}
	return badge
}

// showAlertCount is the badge for a page that was shown before it was known.
func (c *Console) showAlertCount(w http.ResponseWriter, r *http.Request) error {
	f := c.frame(r, "", "", nil)
	f.Alerts.Ask = false // once: a page is not to ask for ever
	return c.render(w, http.StatusOK, "problem.html", "alert-badge", f.Alerts)
}
