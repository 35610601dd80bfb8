package activities

import (
	"maps"
	"slices"

	"connectedapps/connection"
	"connectedapps/connectors"
)

// Question is what a login asks the person.
type Question struct {
	Step   string  `json:"step"`
	Title  string  `json:"title"`
	Help   string  `json:"help,omitempty"`
	Fields []Field `json:"fields"`
}

// Field is one thing that is asked for.
type Field struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Help   string `json:"help,omitempty"`
	Secret bool   `json:"secret"`
}

// Choices are accounts to choose from.
type Choices struct {
	Title string              `json:"title"`
	Items []connection.Choice `json:"items"`
}

func question(step string, ask *connectors.Ask) *Question {
	q := &Question{Step: step, Title: ask.Title, Help: ask.Help}
	for _, input := range ask.Inputs {
		q.Fields = append(q.Fields, Field{Name: input.Name, Title: input.Title, Help: input.Help, Secret: input.Secret})
	}
	return q
}

// loginAt is a login that goes on with the first step of a stage; nil where there is none.
func loginAt(stage string) *connection.Login {
	if stage == "" {
		return nil
	}
	return &connection.Login{Stage: stage}
}

// stageAfter is the stage that follows; "" is the end.
func stageAfter(method *connectors.Method, stage string) string {
	if stage != connectors.StageFollowUp && len(method.FollowUp) > 0 {
		return connectors.StageFollowUp
	}
	return ""
}

// stepsOf lists the steps of a stage.
func stepsOf(method *connectors.Method, stage string) []connectors.Step {
	switch stage {
	case connectors.StageSteps:
		return method.Steps
	case connectors.StageFollowUp:
		return method.FollowUp
	default:
		return nil
	}
}

// indexOf is where a step stands, and -1 for one that is not there; "" is the first.
func indexOf(steps []connectors.Step, id string) int {
	return slices.IndexFunc(steps, func(step connectors.Step) bool { return id == "" || step.ID == id })
}

// answersOf picks the answers to questions of a stage out of the secrets that a
// credential holds while its login lasts.
func answersOf(steps []connectors.Step, held map[string]connection.Secret) map[string]connection.Secret {
	answers := map[string]connection.Secret{}
	for _, step := range steps {
		if step.Ask == nil {
			continue
		}
		for _, input := range step.Ask.Inputs {
			if answer, ok := held[input.Name]; ok {
				answers[input.Name] = answer
			}
		}
	}
	return answers
}

// finished is a credential whose login is over: what the login alone needed is
// taken out, that is answers and inputs to be used once.
func finished(method *connectors.Method, c connection.Credential) connection.Credential {
	var fields map[string]connection.Secret
	values := maps.Clone(c.Values)
	for _, input := range method.Inputs {
		held, ok := c.Fields[input.Name]
		switch {
		case input.Once:
			delete(values, input.Name)
		case ok:
			if fields == nil {
				fields = map[string]connection.Secret{}
			}
			fields[input.Name] = held
		}
	}
	c.Fields, c.Values = fields, values
	return c
}
