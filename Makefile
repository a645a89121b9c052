# make run    install, run the main job on the simulated town, leave a report
# make test   install, run the whole test suite
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SHARED_DATA := $(wildcard ../shared/data)

.PHONY: run test lint install lock docs clean

install: $(INSTALLED)

$(INSTALLED): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 ..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

run: install
	$(BIN)/manifiesta sandbox run

test: install
	$(if $(SHARED_DATA),MANIFIESTA_DATA=$(abspath $(SHARED_DATA))) $(BIN)/pytest

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/manifiesta validate

# pip-compile names the local build of torch (+cpu) where one is at hand; the lock does not.
lock:
	$(BIN)/pip-compile --quiet --extra dev --strip-extras --no-emit-find-links --no-emit-index-url --output-file requirements.lock pyproject.toml
	sed -i 's/^\(torch==[0-9.]*\)+cpu/\1/' requirements.lock

docs: install
	$(BIN)/python -m pipelines.dictionary > docs/data-dictionary.md
	$(BIN)/python -m nlp.card > docs/model-card.md

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
