package access

import (
	"fmt"
	"slices"
	"strings"

	"connectedapps/connection"
)

// rulesField is the setting that rules come from.
const rulesField = "CONNECTED_APPS_OIDC_ROLES"

// Rules say which role a group of the provider's gives in which environments.
type Rules []Rule

// Rule gives one role in one environment to one group.
type Rule struct {
	Group, Environment string
	Role               Role
}

// ParseRules reads rules such as "sre=admin@*,dev=operator@development", where * is
// every environment that is served. A group's name may hold anything but a comma or a
// semicolon. What cannot be understood is an ErrInvalidInput that quotes the rule.
func ParseRules(text string, environments []string) (Rules, error) {
	var rules Rules
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		at := strings.LastIndex(one, "=")
		if at < 1 {
			return nil, badRule(one, "it has no group and role")
		}
		group := strings.TrimSpace(one[:at])
		name, environment, ok := strings.Cut(strings.TrimSpace(one[at+1:]), "@")
		role := Role(name)
		switch {
		case group == "" || strings.Contains(group, ";"):
			return nil, badRule(one, "this cannot be a group")
		case role.rank() == 0:
			return nil, badRule(one, "it names no role")
		case !ok || environment != "*" && !slices.Contains(environments, environment):
			return nil, badRule(one, "it names no environment that is served")
		case environment == "*":
			for _, each := range environments {
				rules = append(rules, Rule{group, each, role})
			}
		default:
			rules = append(rules, Rule{group, environment, role})
		}
	}
	return rules, nil
}

func badRule(one, why string) *connection.Problem {
	return connection.InvalidInput(rulesField, fmt.Sprintf("%q cannot be used: %s", connection.Bound(one, 80), why),
		"write GROUP=ROLE@ENVIRONMENT, such as sre=admin@*,dev=operator@development, with viewer, operator or admin")
}

// Roles are what somebody in those groups may do: in each environment the highest.
func (rules Rules) Roles(groups []string) map[string]Role {
	roles := map[string]Role{}
	for _, rule := range rules {
		if slices.Contains(groups, rule.Group) && rule.Role.rank() > roles[rule.Environment].rank() {
			roles[rule.Environment] = rule.Role
		}
	}
	return roles
}

// ParseRole reads the name of a role; what is none is an ErrInvalidInput.
func ParseRole(text string) (Role, error) {
	if role := Role(text); role.rank() > 0 {
		return role, nil
	}
	return "", connection.InvalidInput("role", fmt.Sprintf("%q is not a role", connection.Bound(text, 40)), "use viewer, operator or admin")
}
