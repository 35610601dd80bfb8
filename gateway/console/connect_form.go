package console

import (
	"context"
	"slices"

	"connectedapps/activities"
	"connectedapps/connection"
	"connectedapps/connectors"
	"connectedapps/gateway/backend"
)

// Purposes of the form on which a person says how to authenticate.
const (
	forNew   = "new"   // a connection that there is not yet
	forAgain = "again" // one whose credential is to be replaced
	forGuest = "guest" // what a connect session left open
)

// connectForm is the form on which a person says how to authenticate, and with what.
type connectForm struct {
	Purpose string
	App     *connectors.App
	// Path is where the form goes, and where its parts are asked for.
	Path string
	choice
	// Environments to choose from, where there are several.
	Environments []string
	// Slot says of a new connection's name whether it can be had.
	Slot slot
	// Methods to choose from, where there are several.
	Methods []*connectors.Method
	Way     *connectors.Method
	Configs []config
	// MayRegister: the person may make an auth config here.
	MayRegister bool
	Levels      []level
	Ticks       []tick
	Scopes      []scope
	Fields      []field
	Setup       *setup
	RedirectURI string
	// Settled are values that are not asked for, by input.
	Settled map[string]string
	// Kept is the connection that is authenticated again.
	Kept *kept
	// Live is set for an answer to htmx that also says anew whether the name is free.
	Live bool
	// Problems stand at their controls; what fits none stands at the top.
	Problems problems

	config *config
}

// limits are what a form must not ask for, since it is settled.
type limits struct {
	method, config, access bool
}

// complete works out everything that follows from the choice. What is chosen and is
// not there is a problem at its control, and no error.
func (c *Console) complete(ctx context.Context, e backend.Environment, f *connectForm, fixed limits) error {
	way, err := f.App.Method(f.Method)
	if err != nil {
		f.wrong(controlMethod, err)
		way = f.App.Methods[0]
	}
	f.Way, f.Method, f.RedirectURI = way, way.ID, c.redirectURI()
	if len(f.App.Methods) > 1 && !fixed.method {
		f.Methods = f.App.Methods
	}
	if err := c.completeConfig(ctx, e, f, fixed.config); err != nil {
		return err
	}
	actions := offered(way)
	if !fixed.access {
		f.Levels = levelsOf(actions)
		if f.Purpose == forGuest {
			f.forGuestLevels()
		} else {
			f.Ticks = ticksOf(actions, f.Actions)
		}
		if f.Purpose == forAgain && len(f.Levels) > 0 {
			f.Levels = append([]level{{"", "As now", "What its toolkits need."}}, f.Levels...)
		}
		if f.Access == "" && f.Purpose != forAgain && len(f.Levels) > 0 {
			f.Access = f.Levels[0].Value
		}
	}
	chosen := f.chosen(actions)
	var instead []string
	if f.config != nil {
		instead = f.config.Scopes
	}
	f.Scopes = scopesOf(way, chosen, instead)
	f.Setup = nil
	if !way.NeedsClient() {
		f.Setup = c.setupOf(way, chosen)
	}
	f.Fields = drawInputs(f.asked(), f.text(way.Inputs), f.Problems)
	return nil
}

// forGuestLevels leaves single actions to those who know what they are for: a guest
// says how much, and no more.
func (f *connectForm) forGuestLevels() {
	f.Levels = slices.DeleteFunc(f.Levels, func(l level) bool { return l.Value == connectors.AccessActions })
	if f.Access == connectors.AccessActions {
		f.Access, f.Actions = "", nil
	}
}

// asked are the inputs that the form asks for. The secrets of a shared credential are
// in its auth config; the connect asks for what is not.
func (f *connectForm) asked() []connectors.Input {
	return shown(f.Way.Inputs, func(input connectors.Input) bool {
		_, settled := f.Settled[input.Name]
		return !settled && (!input.Secret || f.Config == "")
	})
}

// AsksConfig reports whether the auth config is a matter for the person: a guest chooses
// only where there are several.
func (f *connectForm) AsksConfig() bool {
	if f.Purpose == forGuest {
		return f.Way.NeedsClient() && (len(f.Configs) > 1 || f.Blocked())
	}
	return len(f.Configs) > 0 || f.Way.NeedsClient() || f.Problems[controlConfig] != nil
}

// chosen are the actions of the access level, as far as they can be told.
func (f *connectForm) chosen(actions []*connectors.Action) []*connectors.Action {
	access, ids := f.Access, f.Actions
	if f.Kept != nil {
		kept := f.Kept.Actions
		if access == "" || access == connectors.AccessActions {
			access, ids = connectors.AccessActions, append(slices.Clone(ids), kept...)
		}
	}
	return slices.DeleteFunc(slices.Clone(actions), func(a *connectors.Action) bool {
		switch access {
		case connectors.AccessRead:
			return !a.ReadOnly
		case connectors.AccessActions:
			return !slices.Contains(ids, a.ID)
		default:
			return false
		}
	})
}

// Flow is what the connect needs of the person first, as far as the form can tell.
func (f *connectForm) Flow() activities.Flow {
	switch {
	case f.Way.Kind.NeedsBrowser():
		return activities.FlowBrowser
	case f.Way.Kind == connection.OAuth2Device:
		return activities.FlowDevice
	default:
		return activities.FlowInput
	}
}

// Blocked reports whether nothing can be connected: an auth config is needed, and
// there is none to choose.
func (f *connectForm) Blocked() bool {
	return f.Way.NeedsClient() && f.Config == "" && len(f.Configs) == 0
}

// Secret reports whether the form asks for anything that is secret.
func (f *connectForm) Secret() bool {
	return slices.ContainsFunc(f.asked(), func(input connectors.Input) bool { return input.Secret })
}

// Problem is what is wrong with one of the form's own controls.
func (f *connectForm) Problem(control string) map[string]any {
	return map[string]any{"ID": control, "Problem": f.Problems[control]}
}

// wrong puts an error at a control, unless something is wrong with that already.
func (f *connectForm) wrong(control string, err error) {
	if f.Problems == nil {
		f.Problems = problems{}
	}
	if problem, ok := connection.AsProblem(err); ok && f.Problems[control] == nil {
		f.Problems[control] = problem
	}
}

// place puts an error where it belongs, and answers what belongs to no control: that
// stands at the top of the page.
func (f *connectForm) place(err error) (atTop *connection.Problem) {
	problem, ok := connection.AsProblem(err)
	if !ok {
		return nil
	}
	control := f.controlOf(problem)
	if control == "" {
		return problem
	}
	f.wrong(control, problem)
	for i := range f.Fields {
		if f.Fields[i].ID == control {
			f.Fields[i].Problem, f.Fields[i].Focus = problem, true
		}
	}
	return nil
}

// summary is what the top of a page says whose form has problems at its controls.
func (f *connectForm) summary() *connection.Problem {
	if len(f.Problems) == 0 {
		return nil
	}
	return connection.InvalidInput("", "something below is missing or cannot be used", "see the marked fields; secrets must be typed in again")
}
