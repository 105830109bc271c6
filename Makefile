# Two commands do everything on a fresh machine: `make demo` and `make test`.
SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
# One more than the cores of a small machine: a third of the tests wait for a browser or a server of their own.
WORKERS ?= 3

.PHONY: help demo test lint format bench soak fuzz mutants docs archive clean

help:
	@echo "make demo    seal the samples with TEST seals and verify them (ARGS=--once: only check, then end)"
	@echo "make test    all tests   make lint   style, types, floors   make format   put code in form"
	@echo "make bench   measured tables   make soak   the large counts   make docs   write reference pages, build the site"
	@echo "make fuzz    ten minutes of hostile files (FUZZ_MINUTES=60; ARGS=values: one target)"
	@echo "make archive everything that a machine without internet needs, in one file (dist/)"
	@echo "make mutants the decision broken in every small way, and which of it no test noticed"

$(VENV)/run.stamp: requirements/run.txt deploy/setup.sh
	@sh deploy/setup.sh run

$(VENV)/dev.stamp: requirements/dev.txt requirements/oracles.txt deploy/setup.sh
	@sh deploy/setup.sh dev

$(VENV)/fuzz.stamp: requirements/fuzz.txt deploy/setup.sh
	@sh deploy/setup.sh fuzz

$(VENV)/bench.stamp: requirements/bench.txt deploy/setup.sh
	@sh deploy/setup.sh bench

$(VENV)/docs.stamp: requirements/docs.txt deploy/setup.sh
	@sh deploy/setup.sh docs

demo: $(VENV)/run.stamp
	@$(BIN)/python deploy/demo.py $(ARGS)

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: $(VENV)/dev.stamp $(VENV)/bench.stamp
	$(BIN)/python tests/benchmarks/run.py $(ARGS)

soak: $(VENV)/dev.stamp $(VENV)/docs.stamp
	$(BIN)/python -m pytest -m soak --override-ini addopts="--import-mode=importlib --strict-markers -rA" -n $(WORKERS) tests $(ARGS)

fuzz: $(VENV)/dev.stamp $(VENV)/fuzz.stamp
	$(BIN)/python tests/fuzz/run.py $(ARGS)

mutants: $(VENV)/dev.stamp
	$(BIN)/python tests/mutation/mutants.py $(ARGS)

docs: $(VENV)/dev.stamp $(VENV)/docs.stamp
	$(BIN)/python docs/make_reference.py $(ARGS)
	$(BIN)/python docs/build_site.py

archive: $(VENV)/dev.stamp
	$(BIN)/python deploy/offline/build.py $(ARGS)

clean:
	rm -rf build dist .demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
