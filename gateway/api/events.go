package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/web"
	"connectedapps/workflows"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// pace is how fast things go; tests make it faster.
type pace struct {
	// read bounds the reading of a body, answer an answer; ask is how often a connect is asked, ping how often a
	// silent stream says that it is there, identify how often it asks whose it is, and life how long it lasts at most.
	read, answer, ask, ping, identify, life time.Duration
}

var defaultPace = pace{read: 5 * time.Second, answer: answerTime, ask: 500 * time.Millisecond, ping: 10 * time.Second, identify: time.Minute, life: 15 * time.Minute}

const (
	// maxStreams bounds event streams of one gateway, and maxStreamsEach those of one
	// person: each asks a worker twice a second.
	maxStreams, maxStreamsEach = 200, 20
	// writeTime is how long a client may take to receive an event.
	writeTime = 10 * time.Second
	// unseenTime is how long a connect may be out of sight before its stream ends.
	unseenTime = time.Minute
)

// streams counts those that are open. The zero value is ready.
type streams struct {
	mu   sync.Mutex
	all  int
	each map[string]int
}

func (s *streams) enter(subject string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.each == nil {
		s.each = map[string]int{}
	}
	if s.all >= maxStreams || s.each[subject] >= maxStreamsEach {
		return connection.RateLimited("too many event streams are open", 10*time.Second)
	}
	s.all, s.each[subject] = s.all+1, s.each[subject]+1
	return nil
}

func (s *streams) leave(subject string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.each[subject]--; s.each[subject] == 0 {
		delete(s.each, subject)
	}
}

type eventsInput struct {
	ConnectionPath
	Last string `header:"Last-Event-ID" maxLength:"80" doc:"The last event that was received; browsers send it when they come back."`
}

func (a *api) registerEvents() {
	register(a, operation{id: "watch-connect", method: http.MethodGet, path: onePath + "/connect/events", tag: "Connects", role: access.Viewer,
		summary: "Watch a connect",
		description: "Server-sent events of how far a connect has come: an event progress, whose data is what the operation show-connect answers, " +
			"at once and whenever it changes, until the connect is over; an event problem where it can no longer be seen. A comment comes every ten " +
			"seconds. The stream ends after 15 minutes at the latest, and soon after who asked may see the connection no longer; a browser comes back by itself, and is answered 204 once there is nothing more to tell."},
		a.watchConnect)
	answer := a.huma.OpenAPI().Paths[onePath+"/connect/events"].Get.Responses
	answer["200"] = &huma.Response{Description: "A stream of events.", Content: map[string]*huma.MediaType{"text/event-stream": {
		Schema: &huma.Schema{Type: huma.TypeString, Description: "Events by the HTML standard, section 9.2: event progress with a Progress as data, or problem with a Problem."}}}}
	answer["204"] = &huma.Response{Description: "The connect is over and the client has seen it."}
}

func (a *api) watchConnect(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	client, who := at(ctx).Client, watcher{person: access.Of(ctx), environment: at(ctx).Name, known: a.now()}
	first, err := client.Progress(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := a.streams.enter(who.person.Subject); err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		defer a.streams.leave(who.person.Subject) // which stays the same
		r, w := humago.Unwrap(h)
		s := &stream{w: w, control: http.NewResponseController(w), last: in.Last}
		if first.Phase.Over() && in.Last != "" && in.Last == eventOf(first, who.mayAct()).id {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no") // proxies would keep it back
		s.last = ""
		if r.Method == http.MethodHead {
			return
		}
		life, cancel := context.WithTimeout(r.Context(), a.pace.life)
		defer cancel()
		defer context.AfterFunc(web.Stopping(life), cancel)()
		a.follow(life, s, first, &who, func() (workflows.Progress, error) {
			asking, done := context.WithTimeout(life, a.pace.answer)
			defer done()
			if err := a.still(r.WithContext(asking), &who); err != nil {
				return workflows.Progress{}, err
			}
			return client.Progress(asking, id)
		})
	}}, nil
}

// watcher is whoever a stream is for.
type watcher struct {
	person      access.Person
	environment string
	known       time.Time // when that was asked last
}

func (w *watcher) mayAct() bool { return w.person.May(w.environment, access.Operator) }

// still reports why somebody may watch no longer: their token was revoked, say. Where
// that cannot be told just now it is asked again a while later.
func (a *api) still(r *http.Request, w *watcher) error {
	if a.now().Sub(w.known) < a.pace.identify {
		return nil
	}
	w.known = a.now()
	person, err := a.authenticator.Identify(r)
	if err == nil && person.Subject != w.person.Subject {
		err = connection.Refused(connection.ErrNotSignedIn, "somebody else has signed in", "watch anew")
	}
	if err == nil {
		err = person.Check(w.environment, access.Viewer)
	}
	switch connection.TypeOf(err) {
	case "":
		w.person = person
	case connection.ErrNotSignedIn, connection.ErrNotAllowed:
		return err
	}
	return nil
}

// follow writes what is new until the connect is over or nobody listens.
func (a *api) follow(ctx context.Context, s *stream, progress workflows.Progress, w *watcher, ask func() (workflows.Progress, error)) {
	var unseen time.Time
	said := a.now()
	for {
		if unseen.IsZero() {
			wrote, err := s.send(eventOf(progress, w.mayAct()))
			if err != nil || progress.Phase.Over() {
				return
			}
			if wrote {
				said = a.now()
			}
		}
		if a.now().Sub(said) >= a.pace.ping {
			said = a.now()
			if s.write(": here\n\n") != nil {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(a.pace.ask):
		}
		next, err := ask()
		switch {
		case err == nil:
			progress, unseen = next, time.Time{}
		case ctx.Err() != nil:
			return
		case connection.TypeOf(err) == connection.ErrTemporalUnavailable && (unseen.IsZero() || a.now().Sub(unseen) < unseenTime):
			if unseen.IsZero() {
				unseen = a.now()
			}
		default:
			told, ok := connection.AsProblem(err)
			if !ok {
				told = connection.Internal("the gateway")
			}
			data, _ := json.Marshal(refuse(told)) // texts and numbers: it cannot fail
			_ = s.write(fmt.Sprintf("event: problem\ndata: %s\n\n", data))
			return
		}
	}
}

// event is one progress as it is sent; its ID is the same for the same progress.
type event struct {
	id   string
	data []byte
}

func eventOf(progress workflows.Progress, whole bool) event {
	data, _ := json.Marshal(progressOf(progress, whole)) // texts, times and lists: it cannot fail
	return event{hashOf(data), data}
}

// stream is one client's.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	last    string
}

// send writes an event unless it was the last one.
func (s *stream) send(e event) (bool, error) {
	if e.id == s.last {
		return false, nil
	}
	s.last = e.id
	return true, s.write(fmt.Sprintf("event: progress\nid: %s\ndata: %s\n\n", e.id, e.data))
}

// write moves the server's deadline, which is for answers and not for streams.
func (s *stream) write(text string) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
