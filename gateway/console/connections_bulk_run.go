package console

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/web"
	"connectedapps/workflows"
)

const (
	// bulkTime is how long a bulk action may take: an answer must leave within the
	// server's time to write. What was begun by then goes on by itself.
	bulkTime = 18 * time.Second
	// bulkAtOnce is how many connections are asked at the same time.
	bulkAtOnce = 8
)

// runBulk does it with every item, a few at a time, and says of each what became of it.
func (c *Console) runBulk(r *http.Request, page *bulkPage) {
	page.Done = true
	ctx, cancel := context.WithTimeout(r.Context(), bulkTime)
	defer cancel()
	free := make(chan struct{}, bulkAtOnce)
	var all sync.WaitGroup
	for i := range page.Items {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			page.Items[i].Says, page.Items[i].Bad = "left: there was no time to begin", true
			continue
		}
		all.Go(func() {
			defer func() { <-free }()
			c.bulkOne(ctx, r, page.Deed.Key, page.Why, &page.Items[i])
		})
	}
	all.Wait()
	changed := map[string]bool{}
	for _, item := range page.Items {
		if environment := item.ID.Environment(); !changed[environment] {
			changed[environment] = true
			c.Lists.Changed(environment)
		}
		if item.Bad && ctx.Err() != nil {
			page.Left++
		}
	}
}

// bulkOne does it with one connection. Its role was checked before.
func (c *Console) bulkOne(ctx context.Context, r *http.Request, deed, why string, item *bulkItem) {
	e, err := c.Environments.Of(item.ID)
	if err == nil {
		item.Says, err = bulkDo(ctx, e.Client, deed, why, item)
	}
	switch {
	case err == nil:
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		item.Says, item.Bad = "left: no answer in time; it may still go on by itself", true
	default:
		problem := web.ProblemOf(r, c.Log, err)
		item.Says, item.Bad = problem.Message, true
	}
}

// bulkClient is what bulk actions ask of an environment.
type bulkClient interface {
	Test(ctx context.Context, id connection.ID) (workflows.TestResult, error)
	Refresh(ctx context.Context, id connection.ID) (workflows.RefreshResult, error)
	Pause(ctx context.Context, id connection.ID, reason string) error
	Resume(ctx context.Context, id connection.ID, reason string) error
	Disconnect(ctx context.Context, id connection.ID, reason string) (workflows.DisconnectResult, error)
}

// bulkDo does one thing with one connection and says what came of it.
func bulkDo(ctx context.Context, client bulkClient, deed, why string, item *bulkItem) (string, error) {
	switch deed {
	case "test":
		result, err := client.Test(ctx, item.ID)
		if err != nil {
			return "", err
		}
		item.Status = result.Status
		outcome := testOutcome(result)
		item.Bad = outcome.Bad
		return outcome.Title, nil
	case "refresh":
		result, err := client.Refresh(ctx, item.ID)
		if err == nil {
			item.Status = result.Status
		}
		return "renewed", err
	case "pause":
		err := client.Pause(ctx, item.ID, why)
		if err == nil {
			item.Status = connection.Paused
		}
		return "paused", err
	case "resume":
		err := client.Resume(ctx, item.ID, why)
		if err == nil {
			item.Status = connection.Active
		}
		return "resumed", err
	default:
		result, err := client.Disconnect(ctx, item.ID, why)
		if connection.TypeOf(err) == connection.ErrConnectionNotFound {
			return disconnected[workflows.RevocationGone], nil
		}
		item.Status = connection.Leaving
		return disconnected[result.Revocation], err
	}
}
