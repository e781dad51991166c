# Everything here sets itself up: a virtual environment from hashed requirements, the control plane from published modules.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
# The Kubernetes version of the test control plane; 1.34.4 is the oldest that we support.
KUBERNETES_VERSION ?= 1.37.2
ARGS ?=
PYTEST_ARGS ?=

# What each run of pytest leaves, for `hack.failures`; files of what is too long for the log.
BUILD := build
REPORTS := $(BUILD)/reports
# An empty report is that of a run which did not live to write it.
PYTEST = mkdir -p $(REPORTS) && : > $(REPORTS)/$@.xml && $(BIN)/pytest --junit-xml=$(REPORTS)/$@.xml
# Whatever failed is named in the last lines.
NAMED = || { $(BIN)/python -m hack.failures $(REPORTS); exit 1; }

VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

export KUBERNETES_VERSION

.DEFAULT_GOAL := help
.PHONY: help demo test lint unit contract e2e e2e-product e2e-runtime bench bench-node docs generate check-generated controlplane requirements clean

help: ## say what can be made
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

$(VENV)/bin/python:
	@echo "making a virtual environment in $(VENV) with what is needed; once, in a minute or two"
	@$(PYTHON) -m venv $(VENV)

# The stamps make a second call free; the dev environment contains the demo's. Python compiles what the demo imports, a
# small part of what pip would compile beforehand.
$(VENV)/.demo: requirements/demo.txt pyproject.toml | $(VENV)/bin/python
	@test -e $(VENV)/.dev || $(PIP_INSTALL) --no-compile --require-hashes -r requirements/demo.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	@$(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo ## a model that answers, on an embedded cluster (ARGS="--once", "--step", "--cluster real", "--cluster current")
	@$(BIN)/aiop demo $(ARGS)

# CI insists on the real node; elsewhere it is there for whoever may make namespaces.
NODE := $(filter true,$(CI))$(filter 0,$(shell id -u))

# CI tells all that fails in one run; a person is told of the first part that does.
test: ## everything that CI checks
	@rm -rf $(REPORTS)
	@$(MAKE) --no-print-directory $(if $(filter true,$(CI)),--keep-going) lint unit e2e $(if $(NODE),e2e-node) $(NAMED)
	@$(if $(NODE),,echo "left out: the tests on a real node need root; run them with: sudo make e2e-node")

lint: $(VENV)/.dev check-generated ## formatting, rules, types, layers, generated files, pages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy src test hack docs/how-to/greetings
	$(BIN)/lint-imports
	$(BIN)/python -m hack.docs --check

unit: $(VENV)/.dev ## tests without a real API server, with coverage
	$(PYTEST) test/unit test/security test/contract/runtime -n 2 --cov --cov-report= $(PYTEST_ARGS)
	@$(BIN)/coverage report > $(BUILD)/coverage.txt
	@echo "coverage: $$($(BIN)/coverage report --format=total) % of lines and branches; by file in $(BUILD)/coverage.txt"

# Four at a time, three of them of the product's half, each with a control plane of its own: they wait more than they work.
e2e: $(VENV)/.dev controlplane ## tests on the real control plane
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target e2e-product e2e-runtime

PRODUCT := test/e2e $(addprefix --ignore=test/e2e/,runtime fetcher node)

# pytest ends with 5 if PYTEST_ARGS leave nothing of a half.
e2e-product:
	@$(PYTEST) -q --tb=short -n 3 --dist loadfile $(PRODUCT) $(PYTEST_ARGS) || test $$? -eq 5

e2e-runtime:
	@$(PYTEST) -q --tb=short test/e2e/runtime test/e2e/fetcher test/contract/api $(PYTEST_ARGS) || test $$? -eq 5

controlplane: $(VENV)/.dev ## build the real control plane once, into the cache
	@$(BIN)/python -m hack.controlplane.build

cluster: $(VENV)/.dev ## a cluster of one real node in the background: pods run (Linux, root)
	@$(BIN)/python -m hack.node up

cluster-down: $(VENV)/.dev ## end it and leave nothing
	@$(BIN)/python -m hack.node down

e2e-node: $(VENV)/.dev ## tests on a real node (Linux, root)
	@$(PYTEST) -q --tb=short test/e2e/node $(PYTEST_ARGS) || test $$? -eq 5

bench: $(VENV)/.dev controlplane ## what things cost, as a table and as JSON (ARGS="--only cpu,memory", "--help")
	$(BIN)/python -m hack.bench $(ARGS)

bench-node: $(VENV)/.dev ## the same of pods that really run, and of the demo (Linux, root)
	$(BIN)/python -m hack.bench --only startup,requests,footprint,takeover,demo $(ARGS)

docs: $(VENV)/.dev ## the pages as a site, in build/site
	@$(BIN)/python -m hack.docs

generate: $(VENV)/.dev ## CRDs, manifests and reference pages from their sources
	$(BIN)/python -m hack.generate

check-generated: $(VENV)/.dev ## fail when what is committed differs from what is generated
	$(BIN)/python -m hack.generate --check

requirements: ## pin the newest versions again (needs uv)
	@for name in manager demo dev bench docs fetcher fetcherservers go helm lua checkov mlserver traefik triton testmodels; do \
	  uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-strip-extras --no-header --output-file requirements/$$name.txt requirements/$$name.in; done

clean: ## remove the virtual environment and tool caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .import_linter_cache
