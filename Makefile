# make demo      export every trained model and compare runtimes
# make test      the whole test suite                                 make test-quick: without the slow ones
# make lint      ruff, mypy, clang-format                             make bench, make conform: the figures
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
SOURCES := $(wildcard custom_ops/*) onnx_acts/specs.py pyproject.toml constraints.txt

.PHONY: demo test test-quick lint format bench conform clean

demo: $(VENV)/.ready
	$(BIN)/python -m models.demo

test: $(VENV)/.ready lint
	$(BIN)/python -m pytest

test-quick: $(VENV)/.ready
	$(BIN)/python -m pytest -m "not slow"

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(wildcard custom_ops/*.h custom_ops/*.cc tests/native/*.cc)

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(wildcard custom_ops/*.h custom_ops/*.cc tests/native/*.cc)

bench: $(VENV)/.ready | build
	$(BIN)/onnx-acts bench --json build/bench.json

conform: $(VENV)/.ready | build
	$(BIN)/onnx-acts conform --json build/conform.json --junit build/conform.xml

# One environment for everything, made again when the native sources or the pinned versions change.
$(VENV)/.ready: $(SOURCES)
	@echo "Making the environment $(VENV); this downloads PyTorch and takes a few minutes."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

build:
	mkdir -p $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
