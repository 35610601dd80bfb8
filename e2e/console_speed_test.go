package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"connectedapps/connection"
	"connectedapps/workflows"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.uber.org/zap"
)

// crowdedEnvironment is where the benchmark's connections are: no other test counts there.
const crowdedEnvironment = "staging"

// BenchmarkConsole measures the console's pages over 1,000 connections, beside the
// floor of /healthz, which the same gateway answers without asking anybody:
//
//	go test -run '^$' -bench Console -benchtime 200x .
//
// The connections are real open workflows with their search attributes, on a queue
// that nobody serves. cold is the list when its five seconds are over.
func BenchmarkConsole(b *testing.B) {
	crowd(b, 1000)
	visitor := signedIn(b)
	measure := func(name, path string, pause time.Duration) {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for range b.N {
				time.Sleep(pause)
				began := time.Now()
				fetch(b, visitor, path)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
	measure("floor", "/healthz", 0)
	measure("list", "/connections?environment="+crowdedEnvironment, 0)
	measure("sorted", "/connections?environment="+crowdedEnvironment+"&sort=last-used", 0)
	measure("searched", "/connections?environment="+crowdedEnvironment+"&q=crowd-77", 0)
	measure("gallery", "/apps", 0)
	measure("auth-configs", "/auth-configs", 0)
	measure("alerts", "/alerts", 0)
	b.Run("cold", func(b *testing.B) {
		var took time.Duration
		for range coldRounds {
			time.Sleep(6 * time.Second)
			began := time.Now()
			fetch(b, visitor, "/connections?environment="+crowdedEnvironment)
			took += time.Since(began)
		}
		b.ReportMetric(float64(took.Milliseconds())/coldRounds, "mean-ms")
		b.ReportMetric(0, "ns/op")
	})
}

// coldRounds is how often the list is asked for after its five seconds.
const coldRounds = 5

func fetch(b *testing.B, visitor *http.Client, path string) {
	b.Helper()
	response, err := visitor.Get(s.ready.Gateway + path)
	if err != nil {
		b.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK {
		b.Fatalf("%s: %s %.300s", path, response.Status, text)
	}
}

// crowd starts connections that nobody works on, and ends them with the benchmark.
func crowd(b *testing.B, n int) {
	b.Helper()
	other, err := s.settings.Temporal(crowdedEnvironment, zap.NewNop())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(other.Close)
	for i := range n {
		id := connection.ID(fmt.Sprintf("%s/sandbox/crowd-%d", crowdedEnvironment, i))
		status := connection.Statuses()[i%4]
		_, err := other.ExecuteWorkflow(b.Context(), client.StartWorkflowOptions{
			ID: workflows.ConnectionWorkflowID(id), TaskQueue: "nobody",
			TypedSearchAttributes: temporal.NewSearchAttributes(
				workflows.AttributeApp.ValueSet(id.App()), workflows.AttributeEnvironment.ValueSet(crowdedEnvironment),
				workflows.AttributeStatus.ValueSet(string(status)), workflows.AttributeName.ValueSet(fmt.Sprintf("Crowd %d", i)),
				workflows.AttributeAuthKind.ValueSet(string(connection.APIKey)), workflows.AttributeOwner.ValueSet("team-"+fmt.Sprint(i%7)),
				workflows.AttributeLastUsed.ValueSet(time.Now().Add(-time.Duration(i)*time.Hour))),
		}, workflows.TypeConnection, workflows.State{ID: id})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			_ = other.TerminateWorkflow(context.Background(), workflows.ConnectionWorkflowID(id), "", "the benchmark is over")
		})
	}
	time.Sleep(2 * time.Second) // visibility follows
}
