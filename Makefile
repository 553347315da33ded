# Words: setup · demo · test · check · serve · work · bench · soak · acceptance · pictures · assets · locale · lock · clean
# Every word sets up first, and only when requirements.lock or pyproject.toml changed.

VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# The first Python from 3.11 on that really runs.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
# Tests run in this many processes, each with a database of its own; on two cores one of three always waits for something.
TEST_PROCESSES ?= 3
MARKS ?= not soak

export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Compiled modules are kept: each of the hundred processes of a test run would compile them all anew.
unexport PYTHONDONTWRITEBYTECODE
# One thread of arithmetic for each process: where three share two cores, more only wait for each other.
test soak: export OMP_NUM_THREADS = 1
test soak: export OPENBLAS_NUM_THREADS = 1

.PHONY: setup demo real test check serve work bench soak acceptance pictures assets locale lock clean
.DEFAULT_GOAL := setup

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (Debian: apt-get install python3-venv)."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m matching warm
	$(BIN)/python -m risk.warm
	@touch $(STAMP)

demo: setup
	$(BIN)/xindeng demo --firms 20000 --days 60 --seed 7

real: setup
	$(BIN)/xindeng demo --real ../shared/data/cumcm2020c

test: setup
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder -m "$(MARKS)"

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m web.locale_tool check
	$(BIN)/python .ci/assets.py

serve: setup
	$(BIN)/xindeng serve

work: setup
	$(BIN)/xindeng work

$(VENV)/.bench: requirements-bench.lock $(STAMP)
	$(BIN)/python -m pip install --quiet --requirement requirements-bench.lock
	@touch $@

# With the peers we are measured beside; everything but they works without.
bench: $(VENV)/.bench
	$(BIN)/python -m bench

soak: setup
	$(BIN)/python -m pytest -m soak

# What the pages must be, item by item (docs/acceptance.md).
acceptance: setup
	$(BIN)/python bench/acceptance.py --json docs/acceptance.json

# From a demo that runs (make demo).
pictures: setup
	$(BIN)/python docs/take_pictures.py $(DEMO_ADDRESS)
	$(BIN)/python docs/write_guide.py

assets:
	cd web/assets && npm ci --no-fund --no-audit && node build.mjs

locale: setup
	$(BIN)/python -m web.locale_tool extract

# In an environment that has just been brought up to date on purpose: writes down what is installed.
lock:
	$(BIN)/python .ci/lock.py > requirements.lock.new && mv requirements.lock.new requirements.lock
	$(BIN)/python .ci/lock.py bench > requirements-bench.lock.new && mv requirements-bench.lock.new requirements-bench.lock

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
