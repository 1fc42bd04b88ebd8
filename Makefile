# What one does here; "make" lists it. Needs Debian 12, root, make, and any Node from 20 on with npm: the Node that runs
# everything comes from npm with the rest.
NODE := node_modules/.bin/node
HOSTS ?= 3
ARCH ?=
ENGINE ?=
HOST ?=
KILLS ?= 25
SECONDS ?= 600
SEED ?=
PART ?=
DO ?=
IMAGE ?= scaleio-steward:latest
ONLY ?=

.DEFAULT_GOAL := help
.PHONY: help deps demo demo-failover demo-capacity demo-api test test-vm test-engines plugin packages steward-image dockerfile bundle bench soak simulator lab lab-status lab-do lab-shell lab-down screenshots clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: node_modules/.package-lock.json ## install what is missing: Debian packages and npm's
	@test/install-packages.sh apt-packages

node_modules/.package-lock.json: package-lock.json
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

demo: deps ## try it: a simulated ScaleIO, a Docker engine of its own, a volume written and read; leaves nothing behind
	@$(NODE) lab/demo/demo.ts

demo-failover: deps ## see a database's host lose power and the database go on elsewhere; leaves nothing behind
	@$(NODE) lab/demo/failover.ts

demo-capacity: deps ## see a pool at 98 % grow disk by disk under a writing container; leaves nothing behind
	@$(NODE) lab/demo/capacity.ts

demo-api: deps ## see a service have its limit raised, its volume grown and a disk added, by itself; leaves nothing behind
	@$(NODE) lab/demo/api.ts

test: deps ## everything that is checked; ends with "N passed, N failed"; ONLY="unit contract" for some, ONLY=test/e2e/page.test.ts for files
	@$(NODE) test/run-tests.ts $(ONLY)

test-vm: deps ## what only a kernel of its own can show (systemd, reboots, power cuts, torn writes), on a kernel that runs as a process; some 4 min; ONLY=test/vm/host.test.ts for one file
	@$(NODE) test/run-tests.ts $(or $(ONLY),$(wildcard test/vm/*.test.ts))

test-engines: deps ## the plugin on other Docker engines (Debian 13's 26.1), made with mmdebstrap in .cache
	@npm run --silent bundle
	@npx vitest run --project engines

bundle: deps ## dist/docker-volume-scaleio.cjs, the whole program in one file
	@npm run --silent bundle

plugin: deps ## dist/plugin/<arch>, for docker plugin create; ARCH="amd64 arm64" for both
	@$(NODE) plugin/build.ts $(ARCH)

steward-image: deps ## the steward as an image of this machine's Docker: IMAGE=registry.example.com/scaleio-steward:1
	@$(NODE) plugin/steward-image.ts "$(IMAGE)" $(ARCH)

packages: deps ## dist/packages: a Debian package and an rpm of the host service, their list of parts and SHA256SUMS; ARCH=arm64; SIGNING_KEY=… to sign
	@$(NODE) plugin/packages/make-packages.ts $(ARCH)

dockerfile: deps ## write plugin/Dockerfile, config.json and the tables of docs/ anew from their sources
	@$(NODE) plugin/dockerfile.ts
	@$(NODE) plugin/manifest.ts
	@$(NODE) plugin/docs-tables.ts
	@npx prettier --write --log-level warn config.json docs/options.md docs/configuration.md

simulator: deps ## dist/scaleio-simulator-VERSION.tgz, the simulated array as an npm package
	@npm run --silent package -w scaleio-simulator

bench: deps ## measure against the simulator; table and plot go to docs/
	@npm run --silent bundle
	@$(NODE) lab/bench/bench.ts

soak: deps ## databases whose host dies 25 times each (PostgreSQL's figures go to docs/failover.md), random blows, and all orders of events of three hosts; PART=random SEED=1 for one
	@$(NODE) lab/soak/soak.ts --kills $(KILLS) --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(PART)
	@npx prettier --write --log-level warn docs/failover.md

lab: deps ## HOSTS=3 hosts with plugin and Swarm that stay, to play with; ENGINE=26 or 20,26,28 for other engines
	@$(NODE) lab/hosts/lab-command.ts up $(HOSTS) $(ENGINE)

lab-status: deps ## how each host of the lab is
	@$(NODE) lab/hosts/lab-command.ts status

lab-do: deps ## do to a host what life does: HOST=2 DO=power-off; without them, a list
	@$(NODE) lab/hosts/lab-command.ts do "$(HOST)" "$(DO)"

lab-shell: deps ## HOST=2: a shell on a host of the lab
	@$(NODE) lab/hosts/lab-command.ts shell "$(HOST)"

lab-down: deps ## end the lab
	@$(NODE) lab/hosts/lab-command.ts down

screenshots: deps ## the page's pictures in docs/, from the test that powers a host off and looks at it
	@SCREENSHOTS=docs npx vitest run --project e2e test/e2e/page.test.ts

clean: ## remove what was built and fetched
	@rm -rf dist coverage .cache
