# Two commands do everything: `make run` starts it all and shows the main job,
# `make test` runs every test. `make` alone lists the others.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Which commit it was built from is not stamped in: asking git fails where the
# tree belongs to another user, as in containers.
export GOFLAGS := $(filter-out -buildvcs=%,$(GOFLAGS)) -buildvcs=false

# Arguments for devstack, as in: make run ARGS="--port-offset 1000 --access-ttl 20s"
ARGS ?=
# Arguments for bench; bin/bench --help lists them.
BENCH_ARGS ?=
# How long each fuzz target runs.
FUZZTIME ?= 20s
# Arguments of make chaos, as in: make chaos CHAOS_ARGS="--seed 7 --sweeps 1 --json chaos.json"
CHAOS_ARGS ?=
# Packages tested at once; each may start servers of its own.
TEST_P ?= 2

# What goes into the binaries of each module. Files that are only tests or text do not.
files = $(shell find $(1) -type f ! -name '*_test.go' ! -name '*.md' ! -name '.*' $(2) 2>/dev/null)
OWN := $(call files,activities connection connectors deployment gateway starter vault worker workflows,! -path '*/testdata/*') go.mod go.sum
STACK := $(call files,devstack,-maxdepth 1)
TEMPORAL := $(call files,devstack/temporal,)
VAULT := $(call files,devstack/vault,)
SANDBOX := $(call files,devstack/sandbox,)

SERVERS := bin/devstack-vault bin/devstack-temporal bin/devstack-sandbox
BINARIES := $(SERVERS) bin/connected-apps-worker bin/connected-apps bin/devstack bin/example-parent

# Modules whose tests run with the race detector. The two servers are other
# people's code, and building them a second time with the detector takes ten minutes.
RACE_MODULES := . devstack devstack/sandbox $(patsubst %/go.mod,%,$(wildcard tools/go.mod deploy/go.mod conformance/go.mod e2e/go.mod bench/go.mod))

.PHONY: help run smoke build test bench chaos lint replay fuzz clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  ARGS="--port-offset 1000" moves every port; bin/devstack up --help lists what else run and smoke take.'

run: build ## start everything, show the main job on the sandbox app, stay until Ctrl-C
	@exec bin/devstack up $(ARGS)

smoke: build ## the same in a fresh directory on free ports, then stop; exit 0 or 1
	@exec bin/devstack up --once $(ARGS)

build: $(BINARIES) ## build every binary into bin/ (the servers take minutes the first time)

# OpenBao calls itself 2.0.0-HEAD unless it is told its version.
OPENBAO := github.com/openbao/openbao/version
bin/devstack-vault: $(VAULT)
	@echo 'building the Vault-API server (the first time takes about 4 minutes)…'
	@cd devstack/vault && go build -trimpath -o ../../$@ -ldflags "-s -w \
	  -X $(OPENBAO).fullVersion=2.4.0 -X $(OPENBAO).GitCommit=f9407a27fbee45f62ba521bba2bf1e2360c61031" .
	@touch $@

bin/devstack-temporal: $(TEMPORAL)
	@echo 'building the Temporal server and its Web UI (the first time takes about 4 minutes)…'
	@cd devstack/temporal && go build -trimpath -ldflags "-s -w" -o ../../$@ .
	@touch $@

bin/devstack-sandbox: $(SANDBOX)
	@echo 'building the sandbox app…'
	@cd devstack/sandbox && go build -trimpath -ldflags "-s -w" -o ../../$@ .
	@touch $@

bin/connected-apps-worker: $(OWN)
	@echo 'building the worker…'
	@go build -o $@ ./worker
	@touch $@

bin/connected-apps: $(OWN)
	@echo 'building the command line…'
	@go build -o $@ ./starter
	@touch $@

bin/devstack: $(OWN) $(STACK)
	@echo 'building devstack…'
	@cd devstack && go build -o ../$@ .
	@touch $@

bin/example-parent: $(call files,examples/parent,) go.mod go.sum
	@echo 'building the example of a parent workflow…'
	@go build -o $@ ./examples/parent
	@touch $@

# axe-core looks for accessibility issues in the browser tests.
AXE := e2e/axe/node_modules/axe-core/axe.min.js
$(AXE): e2e/axe/package.json e2e/axe/package-lock.json
	@command -v npm >/dev/null || { echo 'npm is missing: the browser tests need it once; install it, or set CONNECTED_APPS_NO_BROWSER=1'; exit 1; }
	@echo 'installing axe-core for the browser tests…'
	@cd e2e/axe && npm ci --no-audit --no-fund --silent
	@touch $@

# Clients of others use the MCP server in the tests; they need a newer Node than
# distributions have, and it comes with them.
CLIENTS := e2e/mcp/node_modules/.installed
$(CLIENTS): e2e/mcp/package.json e2e/mcp/package-lock.json
	@command -v npm >/dev/null || { echo 'npm is missing: the tests of the MCP server need it once; install it, or set CONNECTED_APPS_NO_BROWSER=1'; exit 1; }
	@echo 'installing the MCP conformance suite and the Inspector…'
	@# Not npm ci: it wants an optional package for Windows that not every registry has.
	@cd e2e/mcp && npm install --no-save --ignore-scripts --no-audit --no-fund --silent
	@touch $@

test: build $(if $(CONNECTED_APPS_NO_BROWSER),,$(AXE) $(CLIENTS)) ## vet and test every module with the race detector, end-to-end tests included
	@race=-race; \
	if ! command -v "$$(go env CC)" >/dev/null; then \
	  race=; echo 'WARNING: no C compiler, so the tests run without the race detector'; fi; \
	for module in $(RACE_MODULES); do \
	  echo "testing $$module…"; \
	  (cd $$module && go vet ./... && go test $$race -p $(TEST_P) -timeout 30m ./...); \
	done; \
	for module in devstack/temporal devstack/vault; do \
	  echo "testing $$module…"; \
	  (cd $$module && go vet -trimpath ./... && go test -trimpath -p $(TEST_P) ./...); \
	done

bench: build ## measure cost and speed against a floor (BENCH_ARGS="--only action --rounds 5"); about an hour
	@mkdir -p .bench && cd bench && go build -o ../bin/bench . && exec ../bin/bench --json ../.bench/report.json $(BENCH_ARGS)

lint: ## gofmt, vet, staticcheck, exhaustive switches, determinism of workflows, import arrows
	@if [ -x tools/lint.sh ]; then exec tools/lint.sh; fi; \
	unformatted="$$(gofmt -l $$(find . -name '*.go' -not -path './.devstack/*'))"; \
	if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi; \
	go vet ./... && cd devstack && go vet ./...

replay: ## replay the stored histories of every workflow against this code
	@go test ./workflows/... -run Replay -count=1

chaos: build ## kill and cut the product at named points and count what was lost (CHAOS_ARGS="--help" lists more)
	@cd e2e && go run ./chaos $(CHAOS_ARGS)

fuzz: ## run every fuzz target for FUZZTIME (20s)
	@{ grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . || echo 'there are no fuzz targets' >&2; } | while IFS=: read -r file target; do \
	  target="$${target#func }"; \
	  echo "fuzzing $$target in $$(dirname "$$file") for $(FUZZTIME)…"; \
	  (cd "$$(dirname "$$file")" && go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) . </dev/null); \
	done

clean: ## remove the binaries and all state of make run
	@if [ -x bin/devstack ] && [ -e .devstack/ready.json ] && bin/devstack status >/dev/null 2>&1; then \
	  echo 'devstack is running here; stop it first'; exit 1; fi
	rm -rf bin .devstack .bench
