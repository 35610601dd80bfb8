package mcp

import (
	"context"

	"connectedapps/connection"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// askReconnect names the one question that a call may ask its client.
const askReconnect = "reconnect"

// sessionless is the first version of the protocol without sessions.
const sessionless = "2026-07-28"

// asked is what became of the question to open the page on which people reconnect.
type asked int

const (
	notAsked asked = iota
	// accepted: somebody means to open it, so the call waits for the reconnect.
	accepted
	declined
)

func askedBefore(r *sdk.CallToolRequest) asked {
	response, ok := r.Params.InputResponses[askReconnect]
	if !ok {
		return notAsked
	}
	if result, ok := response.(*sdk.ElicitResult); ok && result.Action == "accept" {
		return accepted
	}
	return declined
}

// takesURLs reports whether the client shows people a page when it is asked to.
func takesURLs(r *sdk.CallToolRequest) bool {
	if r.Session == nil {
		return false
	}
	p := r.Session.InitializeParams()
	return p != nil && p.Capabilities != nil && p.Capabilities.Elicitation != nil && p.Capabilities.Elicitation.URL != nil
}

// reconnectLink is our own page, which lets in only who has signed in with a role that
// may reconnect. It holds no secret: whoever else gets it can do nothing with it.
func (c *core) reconnectLink(id connection.ID) string {
	return c.Site.Link("/connections/" + id.String() + "/reconnect")
}

func elicitationID(key string) string { return "reconnect-" + key }

// ask asks the client to show that page to its user (elicitation in URL mode). The SDK
// puts it into the form of the client's era. The key comes back as the request's
// state, so that the call goes on as the same one.
func (c *core) ask(id connection.ID, key string) *sdk.CallToolResult {
	return &sdk.CallToolResult{RequestState: key, InputRequests: sdk.InputRequestMap{askReconnect: &sdk.ElicitParams{Mode: "url",
		Message:       "The connection " + id.String() + " needs somebody to authenticate again. Open the page, sign in, and reconnect it; the call goes on afterwards.",
		URL:           c.reconnectLink(id),
		ElicitationID: elicitationID(key)}}}
}

// reconnected tells a client with a session that what it showed a page for is done.
func (b *box) reconnected(r *sdk.CallToolRequest, key string, was asked) {
	if was != accepted || r.Session == nil {
		return
	}
	if p := r.Session.InitializeParams(); p == nil || p.ProtocolVersion >= sessionless {
		return
	}
	ctx, done := context.WithTimeout(context.Background(), aside)
	defer done()
	_ = r.Session.NotifyElicitationComplete(ctx, &sdk.ElicitationCompleteParams{ElicitationID: elicitationID(key)}) // a courtesy
}

// reconnectResult says where a person can help, for clients that cannot show it.
func (c *core) reconnectResult(id connection.ID, err error) *sdk.CallToolResult {
	p := problem{Type: connection.ErrReconnectRequired, Message: id.String() + " needs somebody to authenticate again", Link: c.reconnectLink(id)}
	if told, ok := connection.AsProblem(err); ok {
		p.Message = told.Message
	}
	p.Remedy = "ask a person with the role operator to open " + p.Link + ", sign in there and reconnect it; then call again, or call with " +
		ArgWait + " set to true, which waits until they have"
	return errorResult(p.Message+": "+p.Remedy, p)
}
