# make run   install, then search on a small sample: does it work here, and how fast?
# make test  install if needed, then format, lint, imports, types and the fast tests
# make slow  the tests marked slow
PYTHON ?= python3
BIN := .venv/bin
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest
CHECK := --storage sqlite:///check.db --study sample

.PHONY: run test slow format clean

run: .venv/installed
	$(BIN)/search run --trials 20 --dataset cifar10-sample --backbone resnet8 --train-images 600 --epochs 2 --batch-size 32 --learning-rate 0.1 --workers 2 $(CHECK)

test: .venv/installed-dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(PYTEST) -m "not slow" -n 2

slow: .venv/installed-dev
	$(PYTEST) -m slow -n 2

format: .venv/installed-dev
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean:
	rm -rf .venv build dist check.db check.db-shm check.db-wal check.db.sample.lock check.sample.html check.sample.front check.sample.checkpoints check.artifacts

.venv/bin/python:
	@$(PYTHON) -c "import sys; v = sys.version_info[:2]; sys.exit(None if v in ((3, 11), (3, 12)) else f'Python 3.11 or 3.12 is needed, got {v[0]}.{v[1]}; name one: make run PYTHON=python3.12')"
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --editable ".[dashboard]"
	@touch $@

.venv/installed-dev: pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --editable ".[dashboard,dev,onnx]"
	@touch $@ .venv/installed
