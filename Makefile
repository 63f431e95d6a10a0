# make demo   train a minute on the embedded text and see what the model writes
# make test   lint, types, import contracts and every test
# make quick  the same with the tests that take a moment, before a commit
# Each makes .venv first, from what is pinned in constraints.txt: the demo what burble itself needs,
# the others what its developers need, too.

PYTHON ?= python3
BIN := .venv/bin
CORE_INSTALLED := .venv/.core-installed
INSTALLED := .venv/.installed
BENCH_INSTALLED := .venv/.bench-installed

# A test file stays in one process, since its tests share a server or a model.
SIDE_BY_SIDE = -n logical --maxprocesses 8 --dist loadfile
QUICK = $(filter-out $(SLOW),$(wildcard tests/test_*.py)) tests/engine/test_golden.py \
  tests/data tests/ngram tests/text tests/tokenizers
SLOW = tests/test_api_train.py tests/test_isolation.py tests/test_without_torch.py
C_FILES = $(shell find src tests -name '*.[ch]')
LIBRARY = $(shell find src -name '*.[ch]')
C_WARNINGS = -std=c11 -Wall -Wextra -Wshadow -Werror

.PHONY: demo test quick lint types contracts tests coverage format clean bench-learning bench-training bench-memory bench-generation tutorial options pictures

demo: $(CORE_INSTALLED)
	$(BIN)/burble train python-docs --minutes 1 --seed 1 -o runs/demo --overwrite
	$(BIN)/burble generate runs/demo "The " --seed 1 --length 400 --temperature 0.5

test: lint tests

lint: types contracts $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/clang-format --dry-run -Werror $(C_FILES)
	$(CC) -fsyntax-only $(C_WARNINGS) -Isrc/burble/engine/kernel $(filter %.c,$(C_FILES))
	$(BIN)/biome check --error-on-warnings src
	mkdir -p build
	$(BIN)/python -c 'from burble.export import html; print(html.script())' > build/export.cjs
	$(BIN)/python -c 'from burble.inspection.trace import report; print(report.script())' > build/report.cjs
	$(BIN)/biome lint --error-on-warnings build

types: $(INSTALLED)
	$(BIN)/mypy

contracts: $(INSTALLED)
	$(BIN)/lint-imports

tests: $(INSTALLED)
	$(BIN)/coverage erase
	$(BIN)/pytest $(SIDE_BY_SIDE) --cov --cov-report=term

# Those that need torch; where it is not installed, the others run without them.
.PHONY: tests-of-torch
tests-of-torch: $(INSTALLED)
	$(BIN)/pytest $(SIDE_BY_SIDE) -m torch

# What people run before a commit: a minute. Everything that starts no server, browser or training.
quick: lint
	$(BIN)/pytest $(SIDE_BY_SIDE) $(QUICK)

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(C_FILES)
	$(BIN)/biome check --write src

PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check \
  --constraint constraints.txt

$(CORE_INSTALLED): pyproject.toml constraints.txt $(LIBRARY)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "burble needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP_INSTALL) --editable .
	touch $@

$(INSTALLED): $(CORE_INSTALLED)
	$(PIP_INSTALL) --editable '.[dev]'
	touch $@

# How fast it learns beside others: a good hour on a quiet machine. What was measured
# already is left as it is, so it can be stopped and started again; to measure all of it anew, remove
# benchmarks/results/learning.json first. Writes benchmarks/results/ and the README's table. The others, and
# two of the texts, come with the extra bench. A text that cannot be fetched is left out, or taken
# from ARGS="--texts FOLDER".
LEARNING = $(BIN)/python -m benchmarks.learning --write --missing $(ARGS)
TUNED_ON = alice tinyshakespeare
bench-learning: $(BENCH_INSTALLED)
	$(LEARNING) --on $(TUNED_ON) --only burble burble-torch torch-lstm counts xz
	$(LEARNING) --on $(TUNED_ON) --only burble burble-torch torch-lstm counts --instructions avx2
	$(LEARNING) --on $(TUNED_ON) --only transformer --seeds 0
	$(LEARNING) --on psalms new-testament --only burble burble-torch torch-lstm counts xz --seeds 0

# How long a step of learning takes beside torch's: six minutes on a quiet machine.
bench-training: $(BENCH_INSTALLED)
	$(BIN)/python -m benchmarks.training --write $(ARGS)

# How much memory it learns with, on a megabyte and on a gigabyte of text, which needs 2 GB of disk.
bench-memory: $(INSTALLED)
	$(BIN)/python -m benchmarks.big_text --write $(ARGS)

# How fast it writes beside others.
bench-generation: $(BENCH_INSTALLED)
	$(BIN)/python -m benchmarks.generation --write $(ARGS)

$(BENCH_INSTALLED): $(INSTALLED)
	$(PIP_INSTALL) --editable '.[bench]'
	touch $@

# Runs the lesson's notebook, a few minutes, and writes docs/tutorial.md with its pictures from it.
tutorial: $(INSTALLED)
	$(BIN)/python docs/make_tutorial.py

# Writes docs/options.md from the knobs.
options: $(INSTALLED)
	$(BIN)/python docs/make_options.py

# Trains a minute on Alice, and makes the README's pictures and its sample of text from that. Needs
# chromium and chromedriver. ARGS=--again draws the last training once more.
pictures: $(INSTALLED)
	$(BIN)/python -m pictures $(ARGS)

clean:
	rm -rf src/burble/native/*.so .venv build dist runs .coverage* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
