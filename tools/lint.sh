#!/usr/bin/env bash
# Checks the whole repository: formatting, go vet, staticcheck, exhaustive
# switches, determinism of workflows, the arrows between packages, rules about
# files, and whether compose file and documents agree with the code. It runs every
# check, then says which failed and what to do.
#
#   tools/lint.sh            everything
#   tools/lint.sh -q         nothing but findings
#
# The tools are Go modules at the versions of tools/go.mod and are built into
# bin/tools. With warm caches this takes well under three minutes.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# Asking git fails where the tree belongs to another user, as in containers.
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"
quiet=${1:-}
failed=()
remedies=()

say() { [ "$quiet" = -q ] || printf '%s\n' "$*"; }

# check NAME REMEDY COMMAND... runs one check and remembers its failure. Whatever
# a check prints on standard output is a finding, even where the tool exits 0.
check() {
	local name=$1 remedy=$2 began=$SECONDS out code=0
	shift 2
	out=$("$@" 2>&1) || code=$?
	out=$(printf '%s\n' "$out" | { grep -v '^go: \(downloading\|finding\) ' || true; })
	if [ "$code" -eq 0 ] && [ -z "$out" ]; then
		say "ok    $name ($((SECONDS - began)) s)"
		return
	fi
	printf 'FAIL  %s (%s s)\n' "$name" "$((SECONDS - began))"
	[ -z "$out" ] || printf '%s\n' "$out" | sed 's/^/      /'
	failed+=("$name")
	remedies+=("$remedy")
}

in_module() { (cd "$1" && shift && "$@"); }

# quietly is for what talks even when all is well.
quietly() {
	local out
	out=$("$@" 2>&1) || { printf '%s\n' "$out"; return 1; }
}

# The servers of the development stack are built with -trimpath; the same flag
# here finds their packages in the build cache instead of compiling 3,000 again.
vet() {
	case $1 in
	devstack/*) in_module "$1" go vet -trimpath ./... ;;
	*) in_module "$1" go vet ./... ;;
	esac
}

# workflowcheck explains each finding down to the runtime; the first levels are enough.
determinism() {
	local out code=0 packages=(./workflows)
	[ ! -d examples ] || packages+=(./examples/...)
	out=$(bin/tools/workflowcheck -config tools/workflowcheck.yaml "${packages[@]}" 2>&1) || code=$?
	printf '%s' "$out" | { grep -v '^        ' || true; }
	return "$code"
}

say "building the tools"
(cd tools && go build -o ../bin/tools/ tool ./arrows ./files)

mapfile -t modules < <(find . \( -name .git -o -name bin -o -name .devstack -o -name testdata \) -prune -o -name go.mod -printf '%P\n' |
	sed 's|/*go\.mod$||; s|^$|.|' | sort)

for module in "${modules[@]}"; do
	# gofmt would walk into the modules below as well; each is checked once.
	mapfile -t sources < <(cd "$module" && go list -e -f '{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}
{{end}}{{range .CgoFiles}}{{$d}}/{{.}}
{{end}}{{range .TestGoFiles}}{{$d}}/{{.}}
{{end}}{{range .XTestGoFiles}}{{$d}}/{{.}}
{{end}}{{range .IgnoredGoFiles}}{{$d}}/{{.}}
{{end}}' ./... | grep -v '^$')
	if [ "${#sources[@]}" -gt 0 ]; then
		check "gofmt $module" "run gofmt -w on the files named" gofmt -l "${sources[@]}"
	fi
	check "vet $module" "correct what go vet names" vet "$module"
done

check "staticcheck" "correct what it names, or put //lint:ignore CHECK REASON above the line" bin/tools/staticcheck ./...
check "exhaustive" "name every value of the enumeration in the switch; a default does not count" \
	bin/tools/exhaustive -typeonly '^connectedapps/' ./...
check "workflowcheck" "use workflow.Now, workflow.Go, workflow.DeterministicKeys and the like; an exception goes into tools/workflowcheck.yaml with its reason" determinism
check "arrows" "see docs/architecture.md" bin/tools/arrows .
check "files" "see tools/files/main.go" bin/tools/files .
# -count=1: what these tests read lies outside their module, which go test's cache does not notice.
check "compose and documents" "make docker-compose.yml, deploy/*.sh and docs say what the code says" quietly in_module deploy go test -count=1 ./...
check "the checks themselves" "see tools/*/main_test.go" quietly in_module tools go test ./...

if [ "${#failed[@]}" -gt 0 ]; then
	printf '\n%d of the checks failed after %d s:\n' "${#failed[@]}" "$SECONDS"
	for i in "${!failed[@]}"; do
		printf '  %-24s %s\n' "${failed[$i]}" "${remedies[$i]}"
	done
	exit 1
fi
say "all clean after $SECONDS s"
