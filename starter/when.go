package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"connectedapps/connection"
)

// longest is the longest time that a flag may say.
const longest = 100 * 365 * 24 * time.Hour

// parseSpan reads a length of time: Go's way, such as 90m, or whole days, such as 14d.
func parseSpan(field, text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int
		if n, err = strconv.Atoi(days); err == nil && n > int(longest/(24*time.Hour)) {
			err = strconv.ErrRange
		}
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d < 0 || d > longest {
		return 0, connection.InvalidInput(field, fmt.Sprintf("%q is not a length of time", connection.Bound(text, 40)), "write it as 30m, 36h or 14d")
	}
	return d, nil
}

// parseWhen reads a day (its beginning in UTC), a time as RFC 3339 has it, or how
// long from now.
func parseWhen(field, text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	d, err := parseSpan(field, text)
	if err != nil {
		return time.Time{}, connection.InvalidInput(field, fmt.Sprintf("%q is neither a day nor a length of time", connection.Bound(text, 40)),
			"write it as 2027-01-31, 2027-01-31T12:00:00Z or 14d")
	}
	return now.Add(d).UTC().Truncate(time.Second), nil
}

// parseEnd reads a moment, as [parseWhen] does, which must be yet to come.
func parseEnd(field, text string, now time.Time) (time.Time, error) {
	at, err := parseWhen(field, text, now)
	if err == nil && !at.After(now) {
		err = connection.InvalidInput(field, "this is past already", "name when it will end")
	}
	return at, err
}
