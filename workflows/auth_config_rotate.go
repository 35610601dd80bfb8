package workflows

import (
	"fmt"
	"strings"

	"connectedapps/activities"
	"connectedapps/connection"

	"go.temporal.io/sdk/workflow"
)

// turn waits for the turn, and refuses what cannot be changed any more.
func (a *authConfig) turn(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return a.ready || a.problem != nil }); err != nil {
		return err
	}
	if a.problem != nil {
		return final(a.problem)
	}
	if err := a.mutex.Lock(ctx); err != nil {
		return err
	}
	if a.over() {
		a.mutex.Unlock()
		return final(authConfigMissing(a.in.Environment, a.in.App, a.in.Name))
	}
	return nil
}

// rotate replaces the secrets once the new ones have been proven. It answers when
// they are current, or when the old ones are to stay; then nothing has changed.
func (a *authConfig) rotate(ctx workflow.Context, in Rotate) (RotateResult, error) {
	if err := a.turn(ctx); err != nil {
		return RotateResult{}, err
	}
	defer a.mutex.Unlock()
	rotation := activities.EndRotationInput{App: a.in.App, Name: a.in.Name, Inbox: in.Inbox,
		Rotation: workflow.GetCurrentUpdateInfo(ctx).ID}
	staged, proof, err := a.tryOut(ctx, rotation.Rotation, in)
	if err == nil {
		err = commitRotation.do(ctx, vaultWork, "make the new secrets the current ones", rotation)
	}
	if err != nil {
		quiet, _ := workflow.NewDisconnectedContext(ctx)
		if lost := abandonRotation.do(quiet, vaultWork, "take the new secrets away again", rotation); lost != nil {
			workflow.GetLogger(ctx).Error("a rotation was not taken back", "error", lost.Error())
		}
		return RotateResult{}, final(why(err))
	}
	a.state.Status, a.state.Reason = connection.Active, ""
	a.state.Rotation, a.state.Rotated, a.state.Proof = rotation.Rotation, workflow.Now(ctx), proof.Proof
	a.state.Expires, a.state.Warned, a.replan = in.Expires, 0, true
	a.publish(ctx)
	a.settleAlerts(ctx)
	return RotateResult{Changed: staged.Changed, Proof: proof.Proof, Reason: proof.Reason, Rotated: a.state.Rotated, Expires: in.Expires}, nil
}

// tryOut stages the new secrets and proves them.
func (a *authConfig) tryOut(ctx workflow.Context, rotation string, in Rotate) (*activities.StageRotationReport, *activities.ProveRotationReport, error) {
	staged, err := stageRotation.do(ctx, vaultWork, "lay the new secrets beside the present ones", activities.StageRotationInput{
		App: a.in.App, Name: a.in.Name, Rotation: rotation, ClientID: in.ClientID, Inbox: in.Inbox, Expires: in.Expires})
	if err != nil {
		return nil, nil, err
	}
	proof, err := proveRotation.do(ctx, proving, "try the new secrets on one connection",
		activities.ProveRotationInput{App: a.in.App, Name: a.in.Name, Rotation: rotation})
	return staged, proof, err
}

// retire says that no new connection may use it, or that they may again.
func (a *authConfig) retire(ctx workflow.Context, in Retire) (AuthConfigState, error) {
	if err := a.turn(ctx); err != nil {
		return AuthConfigState{}, err
	}
	defer a.mutex.Unlock()
	if err := a.setRetired(ctx, !in.Undo); err != nil {
		return AuthConfigState{}, final(why(err))
	}
	if a.state.Retired == in.Undo {
		a.state.Retired = !in.Undo
		a.publish(ctx)
	}
	return a.state, nil
}

func (a *authConfig) setRetired(ctx workflow.Context, retired bool) error {
	return retireAuthConfig.do(ctx, vaultWork, "say whether it takes new connections",
		activities.RetireAuthConfigInput{App: a.in.App, Name: a.in.Name, Retired: retired})
}

// versionDelete marks runs in which only an auth config that nobody uses is deleted.
const versionDelete = "auth-config-delete"

// delete destroys it, if nobody uses it. It is retired first, so that no connect can
// begin with it between the count and the end.
func (a *authConfig) delete(ctx workflow.Context, _ struct{}) error {
	if err := a.turn(ctx); err != nil {
		return err
	}
	defer a.mutex.Unlock()
	if workflow.GetVersion(ctx, versionDelete, workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		a.deleted = true
		return nil
	}
	err := a.setRetired(ctx, true)
	if err == nil {
		err = a.unused(ctx)
	}
	if err == nil {
		err = destroyAuthConfig.do(ctx, vaultWork, "destroy its secrets", activities.DestroyAuthConfigInput{App: a.in.App, Name: a.in.Name})
	}
	if err == nil {
		a.gone = true
		return nil
	}
	if !a.state.Retired {
		quiet, _ := workflow.NewDisconnectedContext(ctx)
		if lost := a.setRetired(quiet, false); lost != nil {
			workflow.GetLogger(ctx).Error("an auth config that was not deleted stays retired", "error", lost.Error())
		}
	}
	return final(why(err))
}

// unused refuses while connections use it, naming some.
func (a *authConfig) unused(ctx workflow.Context) error {
	users, err := countUsers.do(ctx, vaultWork, "who uses it?", activities.CountAuthConfigUsersInput{App: a.in.App, Name: a.in.Name})
	if err != nil || users.Count == 0 {
		return err
	}
	names := make([]string, len(users.Connections))
	for i, id := range users.Connections {
		names[i] = id.String()
	}
	who := strings.Join(names, ", ")
	if more := users.Count - len(names); more > 0 {
		who += fmt.Sprintf(" and %d more", more)
	}
	used := fmt.Sprintf("%d connections use", users.Count)
	if users.Count == 1 {
		used = "1 connection uses"
	}
	return connection.Refused(connection.ErrAuthConfigInUse, fmt.Sprintf("%s %s: %s", used, a.label(), who),
		"reconnect them with another auth config, or disconnect them; connected-apps auth-configs retire keeps others from joining them")
}

func authConfigMissing(environment, app, name string) *connection.Problem {
	return connection.Refused(connection.ErrAuthConfigNotFound, fmt.Sprintf("there is no auth config %s/%s/%s", environment, app, name),
		"see: connected-apps auth-configs list")
}
