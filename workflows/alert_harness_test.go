package workflows

import (
	"context"
	"sync"

	"connectedapps/activities"
	"connectedapps/connection"
)

// alertRecorder stands in for the activities of alerts and their sinks. Zero, there are no sinks.
type alertRecorder struct {
	mu sync.Mutex
	// sinks answers which there are at the nth message.
	sinks func(n int) []string
	// deliver answers an attempt, the nth of all; nil delivers.
	deliver func(n int, in activities.DeliverAlertInput) (*activities.DeliverAlertReport, error)

	// notify answers an attempt to deliver a session's message, the nth of all; nil delivers.
	notify func(n int, in activities.DeliverSessionMessageInput) (*activities.DeliverAlertReport, error)

	announced []activities.AnnounceAlertInput
	notified  []activities.DeliverSessionMessageInput
	delivered []activities.DeliverAlertInput
	attempts  int
	stored    []activities.StoreSinkInput
	destroyed []string
}

func addAlerts(add func(name string, f any), r *recorder) {
	a := &r.alerts
	add("AnnounceAlert", func(_ context.Context, in activities.AnnounceAlertInput) (*activities.AnnounceAlertReport, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.announced = append(a.announced, in)
		if a.sinks == nil {
			return &activities.AnnounceAlertReport{}, nil
		}
		return &activities.AnnounceAlertReport{Sinks: a.sinks(len(a.announced))}, nil
	})
	add("DeliverAlert", func(_ context.Context, in activities.DeliverAlertInput) (*activities.DeliverAlertReport, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.attempts++
		report, err := &activities.DeliverAlertReport{Delivered: true, Status: 204}, error(nil)
		if a.deliver != nil {
			report, err = a.deliver(a.attempts, in)
		}
		if err == nil && report.Delivered {
			a.delivered = append(a.delivered, in)
		}
		return report, connection.Boundary("DeliverAlert", err)
	})
	add("DeliverSessionMessage", func(_ context.Context, in activities.DeliverSessionMessageInput) (*activities.DeliverAlertReport, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.notified = append(a.notified, in)
		report, err := &activities.DeliverAlertReport{Delivered: true, Status: 204}, error(nil)
		if a.notify != nil {
			report, err = a.notify(len(a.notified), in)
		}
		return report, connection.Boundary("DeliverSessionMessage", err)
	})
	add("StoreSink", answer(r, "StoreSink", func(in activities.StoreSinkInput) *activities.StoreSinkReport {
		a.stored = append(a.stored, in)
		return &activities.StoreSinkReport{Host: "https://hooks.example"}
	}))
	add("DestroySink", func(_ context.Context, in activities.DestroySinkInput) error {
		a.destroyed = append(a.destroyed, in.Name)
		return nil
	})
}

// told is what a sink was told, in order.
func (a *alertRecorder) told(sink string) []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var types []string
	for _, in := range a.delivered {
		if in.Sink == sink {
			types = append(types, in.Message.Type)
		}
	}
	return types
}
