# Two commands do everything: `make demo` and `make test`. Both set up the machine first.

PYTHON ?= python3
BIN := .venv/bin

SECONDS ?= 60
TARGET ?=
MUTATION ?=
# `make bench` takes options in BENCH, as in BENCH="--json figures.json".
BENCH ?=

.PHONY: demo drill test test-slow fuzz mutation bench check lint types contracts reference set-up

demo: set-up  ## the whole flow with real parts: two releases, a device, seven attacks
	PYTHONPATH=tests $(BIN)/python -m examples.demo

drill: set-up  ## each party compromised in turn: what stops the attacker, and what they get
	PYTHONPATH=tests $(BIN)/python -m examples.drill

test: set-up  ## all tests but the long proofs
	$(BIN)/pytest -q -n auto --dist loadfile -m "not slow" --assurance

test-slow: set-up  ## the long proofs
	$(BIN)/pytest -q -m slow

fuzz: set-up  ## look for crashes for SECONDS, in all parsers or in TARGET; findings stay in build/fuzz
	PYTHONPATH=tests $(BIN)/python -m fuzz.campaign $(SECONDS) build/fuzz $(TARGET)

mutation: set-up  ## do the tests notice small changes of enigm_tuf/trust? MUTATION="--sample 100" for some of them
	$(BIN)/python -m scripts.mutate $(MUTATION)

bench: set-up  ## our client and its peers side by side: minutes, and 12 GB of disk
	PYTHONPATH=tests $(BIN)/python -m benchmarks $(BENCH)

check: lint types contracts  ## what CI runs before the tests

lint: set-up
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: set-up
	$(BIN)/mypy

contracts: set-up  ## who may import whom
	$(BIN)/lint-imports

reference: set-up  ## write the parts of docs/ that follow from the code
	$(BIN)/python scripts/write_reference.py

set-up:
	@$(PYTHON) scripts/set_up.py
