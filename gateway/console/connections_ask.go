package console

import (
	"net/http"
	"sync"

	"connectedapps/connection"
	"connectedapps/gateway/access"
	"connectedapps/gateway/backend"
	"connectedapps/gateway/web"
)

// asked is what one environment answered.
type asked[T any] struct {
	Environment backend.Environment
	Answer      T
	// Problem is why it did not answer; nil where it did.
	Problem *connection.Problem
}

// everywhere asks every environment that the person may see, all at the same time: one
// that is away holds up none of the others. One that cannot say just now whether they may
// is among the answers, with that problem.
func everywhere[T any](c *Console, r *http.Request, ask func(backend.Environment) (T, error)) []asked[T] {
	person := access.Of(r.Context())
	var answers []asked[T]
	for _, e := range c.Environments.All() {
		switch err := person.Check(e.Name, access.Viewer); {
		case err == nil:
			answers = append(answers, asked[T]{Environment: e})
		case connection.TypeOf(err) != connection.ErrNotAllowed:
			answers = append(answers, asked[T]{Environment: e, Problem: web.ProblemOf(r, c.Log, err)})
		}
	}
	var all sync.WaitGroup
	for i := range answers {
		if answers[i].Problem != nil {
			continue
		}
		e := answers[i].Environment
		all.Go(func() {
			answer, err := ask(e)
			if err != nil {
				answers[i].Problem = web.ProblemOf(r, c.Log, err)
				return
			}
			answers[i].Answer = answer
		})
	}
	all.Wait()
	return answers
}

// away is an environment that did not answer.
type away struct {
	Environment string
	Problem     *connection.Problem
}

// awayOf lists those that did not answer.
func awayOf[T any](answers []asked[T]) []away {
	var missing []away
	for _, answer := range answers {
		if answer.Problem != nil {
			missing = append(missing, away{answer.Environment.Name, answer.Problem})
		}
	}
	return missing
}

// partOnly reports whether htmx wants a part of the page. A browser that goes back
// in its history asks through htmx too, and needs the whole page.
func partOnly(r *http.Request) bool {
	return r.Header.Get("HX-Request") == "true" && r.Header.Get("HX-History-Restore-Request") != "true"
}

// sure refuses what was not confirmed by its tick.
func sure(r *http.Request) error {
	if r.PostForm.Get("sure") == "yes" {
		return nil
	}
	return connection.InvalidInput("", "this needs to be confirmed", "tick the box that says what is lost, then send it again")
}

// namesOf lists environments by name.
func namesOf(environments []backend.Environment) []string {
	names := make([]string, len(environments))
	for i, e := range environments {
		names[i] = e.Name
	}
	return names
}
