# The one command surface of ward; `make` alone lists what there is.
# A fresh machine needs Python 3.11 or newer, make, and a way to the package registries.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.SUFFIXES:

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# Debian keeps servers (Mosquitto) and runuser where a plain user's PATH does not lead.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin

# What `make demo` takes.
RECORDING ?=
SPEED ?= 60
BEDS ?= 24

# What `make bench` takes: names of parts, none for all.
PARTS ?=

# What `make fuzz` takes; the same seed gives the same cases.
CASES ?= 1000000
SEED ?= 1

# What `make test` takes: folders, files or options of pytest; and how many tests run at a time. Most wait for
# processes most of the time, so that there may be more of them than cores; a part runs one after the other.
TESTS ?=
WORKERS ?= $(if $(TESTS),0,4)
BESIDE = $(BIN)/python -m pytest -r fEs --numprocesses $(WORKERS)

# What `make faults` takes.
SEED ?= 1

UI := ward/web/ui
UI_SOURCES := $(shell find $(UI) -name node_modules -prune -o -type f -print 2>/dev/null)
HAS_NODE := $(BIN)/python -c 'import sys, hatch_build; sys.exit(not hatch_build.node_on_path())'

.PHONY: help demo test faults evaluate lint bench pictures fuzz schema-fuzz client audit setup setup-dev setup-bench lock clean FORCE

help: ## List these commands
	@echo "ward: make COMMAND"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup ## Start broker, simulated ward, service and dashboard [RECORDING=FILE] [SPEED=60] [BEDS=24]
	@$(BIN)/ward demo --speed '$(SPEED)' --beds '$(BEDS)' $(if $(RECORDING),--recording '$(RECORDING)')

test: setup-dev ## Run every test [TESTS=tests/store] [WORKERS=4]
	@if $(HAS_NODE); then $(MAKE) --no-print-directory $(UI)/node_modules/.ward-dev; fi
	@$(BIN)/python -m tests.parts
	@$(if $(TESTS),$(BESIDE) $(TESTS),failed=0; $(BESIDE) -m 'not alone' || failed=1; \
	  echo "ward: the tests that go by the time that people see, one after the other"; \
	  $(BIN)/python -m pytest -r fEs -m alone || failed=1; exit $$failed)
	@if $(HAS_NODE); then echo "ward: the dashboard's own tests" && cd $(UI) && npm run --silent test; fi

faults: setup-dev ## Break the running service on purpose, for an hour, and count what that costs [SEED=1]
	@$(BIN)/python -m tests.faults all --seed '$(SEED)'

lint: setup-dev ## Check style, types and the dashboard's types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@if $(HAS_NODE); then \
	  $(MAKE) --no-print-directory $(UI)/node_modules/.ward-dev && cd $(UI) && npm run --silent check; \
	else \
	  echo "ward: the dashboard's types are not checked: that needs Node 20.19 or newer with npm"; \
	fi

bench: setup-bench ## Measure ward beside what one would use instead and write docs/performance.md [PARTS=tick]
	@$(BIN)/python -m benchmarks $(PARTS)

pictures: setup-dev ## Take the screens of docs/images/ui from a demo's ward (needs Chromium)
	@$(BIN)/python -m tests.pictures

evaluate: setup-dev ## Judge filter, score and packs on open recordings and write docs/alert-quality.md [SEED=1]
	@if [ -z "$$WARD_TEST_DATA" ]; then \
	  echo "ward: evaluate needs recordings: WARD_TEST_DATA=FOLDER make evaluate, where FOLDER holds, each in a folder of" >&2; \
	  echo "ward: its name, cinc2019 cinc2012 mimic3_demo mimic4wdb bidmc: all open at physionet.org/content (challenge-2019," >&2; \
	  echo "ward: challenge-2012, mimiciii-demo, mimic4wdb/0.1.0, bidmc)" >&2; exit 2; \
	fi; $(BIN)/ward evaluate "$$WARD_TEST_DATA" --seed '$(SEED)' --output docs

lock: setup-dev ## Write the lock files anew from pyproject.toml (for maintainers)
	@$(PIP) install uv
	@for name in requirements requirements-cluster requirements-dev requirements-bench; do \
	  case $$name in *-cluster) extra="--extra cluster --constraints requirements.lock" ;; \
	    *-dev) extra="--extra dev --constraints requirements.lock" ;; \
	    *-bench) extra="--extra dev --extra bench --constraints requirements-dev.lock" ;; *) extra= ;; esac; \
	  $(BIN)/uv pip compile pyproject.toml $$extra --quiet --universal --python-version 3.11 --upgrade \
	    --generate-hashes --no-emit-index-url --no-header --output-file $$name.lock || exit 1; \
	done

fuzz: setup-dev ## Bent messages and files through the real code [CASES=1000000] [SEED=1]
	@$(BIN)/python -m tests.fuzz --cases '$(CASES)' --seed '$(SEED)'

schema-fuzz: setup-dev ## Bent requests over the whole OpenAPI document, every role [CASES=1000] a route [SEED=1]
	@$(BIN)/python -m tests.openapi --cases '$(if $(filter file,$(origin CASES)),1000,$(CASES))' --seed '$(SEED)'

client: setup-dev $(UI)/node_modules/.ward-dev ## The dashboard's types of the API, from its description (after the API changed)
	@$(BIN)/python -m tests.openapi.client

audit: setup-dev ## Known vulnerabilities in what ward depends on; bills of materials in dist/
	@$(BIN)/python -m tests.supply dist

clean: ## Delete what was built and cached; data (.ward) and .venv stay
	rm -rf build dist ward/web/ui_dist $(UI)/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# Set-up. Each step leaves a stamp in $(VENV) and runs again only when what it depends on has changed.

setup: $(VENV)/.ward-packages $(VENV)/.ward-itself
setup-dev: $(VENV)/.ward-dev-packages $(VENV)/.ward-itself
setup-bench: $(VENV)/.ward-bench-packages $(VENV)/.ward-itself

# pip is the last thing that venv installs, so its presence says that the step was not cut short.
$(BIN)/pip:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "ward: needs Python 3.11 or newer, and found none on PATH; if it is elsewhere: make PYTHON=/its/path" >&2; exit 1; \
	fi; \
	echo "ward: setting up with $$("$$found" --version); this takes one to three minutes, once"; \
	echo "ward: 1/3 a Python environment of its own in $(VENV)"; \
	"$$found" -m venv $(VENV) || { \
	  echo "ward: $$found cannot make a virtual environment; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }

$(VENV)/.ward-packages: requirements.lock | $(BIN)/pip
	@echo "ward: 2/3 Python packages of $<: about 100 MB to fetch"
	@$(PIP) install --require-hashes -r $<
	@touch $@

$(VENV)/.ward-dev-packages: requirements-dev.lock | $(BIN)/pip
	@echo "ward: 2/3 Python packages of $<: about 200 MB to fetch"
	@$(PIP) install --require-hashes -r $<
	@touch $@

$(VENV)/.ward-bench-packages: requirements-bench.lock | $(BIN)/pip
	@echo "ward: 2/3 Python packages of $<: about 280 MB to fetch"
	@$(PIP) install --require-hashes -r $<
	@touch $@

# The build hook (hatch_build.py) makes the dashboard here; it returns at once if nothing has changed.
$(VENV)/.ward-itself: pyproject.toml hatch_build.py $(UI_SOURCES) $(if $(wildcard ward/web/ui_dist/index.html),,FORCE) | $(BIN)/pip
	@echo "ward: 3/3 ward itself and its dashboard"
	@$(PIP) install --no-deps --editable .
	@touch $@

# Inside node_modules, which an install without the development packages removes with everything in it.
$(UI)/node_modules/.ward-dev: $(UI)/package-lock.json
	@echo "ward: the dashboard's development packages"
	@cd $(UI) && npm ci --ignore-scripts --silent
	@touch $@
