package ledger

import "strconv"

// Summary counts the whole ledger.
type Summary struct {
	LastSeq   uint64       `json:"last_seq"`
	Token     TokenCounts  `json:"token"`
	API       APICounts    `json:"api"`
	Revoke    OutcomeCount `json:"revoke"`
	Authorize OutcomeCount `json:"authorize"`
	Device    OutcomeCount `json:"device"`
	Login     OutcomeCount `json:"login"`
	Logout    OutcomeCount `json:"logout"`
}

// OutcomeCount is how often each outcome came about.
type OutcomeCount struct {
	Total     int            `json:"total"`
	ByOutcome map[string]int `json:"by_outcome"`
}

// TokenCounts is about the token endpoint. RefreshPresentedAgain counts refresh requests whose token had been
// presented before; MostPresentations is how often the most presented one was.
type TokenCounts struct {
	OutcomeCount
	ByGrantType           map[string]int `json:"by_grant_type"`
	ByDetail              map[string]int `json:"by_detail"`
	Lost                  int            `json:"lost"`
	RefreshPresentedAgain int            `json:"refresh_presented_again"`
	MostPresentations     int            `json:"most_presentations"`
}

// APICounts is about the API.
type APICounts struct {
	Total    int            `json:"total"`
	ByStatus map[string]int `json:"by_status"`
	ByAuth   map[string]int `json:"by_auth"`
}

// Summarize counts what the ledger holds now.
func (l *Ledger) Summarize() Summary {
	l.mu.RLock()
	defer l.mu.RUnlock()
	summary := Summary{
		LastSeq: uint64(len(l.entries)),
		Token: TokenCounts{
			OutcomeCount: newOutcomeCount(), ByGrantType: map[string]int{}, ByDetail: map[string]int{},
		},
		API:       APICounts{ByStatus: map[string]int{}, ByAuth: map[string]int{}},
		Revoke:    newOutcomeCount(),
		Authorize: newOutcomeCount(),
		Device:    newOutcomeCount(),
		Login:     newOutcomeCount(),
		Logout:    newOutcomeCount(),
	}
	presentations := map[string]int{}
	for _, entry := range l.entries {
		switch entry.Kind {
		case KindToken:
			summary.Token.add(entry, presentations)
		case KindAPI:
			summary.API.Total++
			summary.API.ByStatus[strconv.Itoa(entry.Status)]++
			summary.API.ByAuth[entry.Auth]++
		case KindRevoke:
			summary.Revoke.count(entry.Outcome)
		case KindAuthorize:
			summary.Authorize.count(entry.Outcome)
		case KindDevice:
			summary.Device.count(entry.Outcome)
		case KindLogin:
			summary.Login.count(entry.Outcome)
		case KindLogout:
			summary.Logout.count(entry.Outcome)
		}
	}
	return summary
}

func newOutcomeCount() OutcomeCount { return OutcomeCount{ByOutcome: map[string]int{}} }

func (c *OutcomeCount) count(outcome string) {
	c.Total++
	c.ByOutcome[outcome]++
}

func (c *TokenCounts) add(entry Entry, presentations map[string]int) {
	c.count(entry.Outcome)
	c.ByGrantType[entry.GrantType]++
	if entry.Detail != "" {
		c.ByDetail[entry.Detail]++
	}
	if entry.Lost {
		c.Lost++
	}
	if entry.GrantType != "refresh_token" || entry.Presented == "" {
		return
	}
	presentations[entry.Presented]++
	if presentations[entry.Presented] > 1 {
		c.RefreshPresentedAgain++
	}
	c.MostPresentations = max(c.MostPresentations, presentations[entry.Presented])
}
