# whyfit: `make help` lists what can be done. Every target sets up its own .venv first.

PYTHON ?= python3
# gpu: TensorFlow's GPU build. Once chosen it stays chosen in this .venv.
EXTRAS ?= $(shell cat .venv/extras 2>/dev/null)
LOCK = requirements$(if $(EXTRAS),-$(EXTRAS)).lock
BIN = .venv/bin
UV = $(shell command -v uv 2>/dev/null)

EXPERIMENT ?= addition
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup train search lesson book report ask ui test test-slow lint lock benchmark clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup:  ## make .venv from the lock; nothing happens when it has not changed
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if (3, 11) <= v[:2] < (3, 14) else "PYTHON must be Python 3.11 to 3.13, got %d.%d" % v[:2])'
	@test -f $(LOCK) || { echo "EXTRAS must be empty or name a requirements-EXTRAS.lock, got $(EXTRAS)" >&2; exit 2; }
	@cat $(LOCK) pyproject.toml | cmp -s - .venv/installed || $(MAKE) --no-print-directory .venv/installed

.venv/installed: $(LOCK) pyproject.toml
	rm -f $@
	test -x $(BIN)/python || $(if $(UV),$(UV) venv --quiet --seed --python $(PYTHON) .venv,$(PYTHON) -m venv .venv)
ifneq ($(UV),)
	VIRTUAL_ENV=.venv $(UV) pip install --quiet --compile-bytecode --require-hashes -r $(LOCK)
	VIRTUAL_ENV=.venv $(UV) pip install --quiet --no-deps --no-build-isolation -e .
else
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	@echo "$(EXTRAS)" > .venv/extras
	@cat $(LOCK) pyproject.toml > $@

train: setup  ## train: EXPERIMENT=name ARGS="--seed 3 --model.units 256"
	@$(BIN)/whyfit train $(EXPERIMENT) $(ARGS)

# A search tries the small network on 10,000 letters unless EXPERIMENT says otherwise.
search: EXPERIMENT = mlp-10k
search: setup  ## search l1, l2 and dropout: EXPERIMENT=fashion ARGS="--trials 200 --tuner hyperband --name night"
	@$(BIN)/whyfit search $(EXPERIMENT) $(ARGS)

lesson: setup  ## put a claim to the test: NAME=zero-init; without NAME it lists them
	@$(BIN)/whyfit lesson $(NAME) $(ARGS)

book: setup  ## run every lesson that is not done yet; FULL=1: the long parts too
	@$(BIN)/whyfit book $(if $(FULL),--full) $(ARGS)

report: setup  ## write the page of all verdicts
	@$(BIN)/whyfit report

ask: setup  ## ask the best tracked network: Q="535+61"
	@$(BIN)/whyfit ask $(if $(Q),"$(Q)") $(ARGS)

ui: setup  ## open the MLflow UI on this machine
	@$(BIN)/whyfit ui $(ARGS)

test: setup  ## the quick tests
	$(BIN)/python -m pytest -m "not slow" -n 2 $(ARGS)

test-slow: setup  ## the slow ones: real trainings, killed processes
	$(BIN)/python -m pytest -m slow -n 2 $(ARGS)

lint: setup  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lock:  ## make the locks anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --group dev pyproject.toml -o requirements.lock
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --custom-compile-command "make lock" --group dev --extra gpu pyproject.toml -c requirements.lock -o requirements-gpu.lock

clean:  ## remove .venv and caches; runs stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info build dist
