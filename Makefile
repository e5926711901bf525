# make demo      export every trained model and compare runtimes
# make test      the whole test suite                                 make test-quick: without the slow ones
# make lint      ruff, mypy, clang-format                             make bench, make conform: the figures
# make docs      the site, in build/site/index.html                    make pictures: the figures of README and docs
# make runtimes  measure versions of ONNX Runtime (minutes, downloads them), then make pictures
# make accuracy  measure the kernels at every float32 number (minutes), write docs/accuracy.md
# make fuzz      random graphs through accelerate and lower, FUZZ_SECONDS (600) long, from FUZZ_SEED
# make coverage  the branches of the C++ sources that the native tests take (minutes)
PYTHON ?= python3
VENV ?= .venv
FUZZ_SECONDS ?= 600
BIN := $(VENV)/bin
CPP := $(shell find custom_ops tests/native tests/gpu -name '*.h' -o -name '*.cc' -o -name '*.cu')
SOURCES := $(shell find custom_ops -type f) onnx_acts/definition/specs.py pyproject.toml constraints.txt

.PHONY: demo test test-quick lint format bench conform accuracy fuzz coverage docs pictures runtimes clean

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
	$(BIN)/clang-format --dry-run --Werror $(CPP)

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CPP)

bench: $(VENV)/.ready | build
	$(BIN)/onnx-acts bench --json build/bench.json

conform: $(VENV)/.ready | build
	$(BIN)/onnx-acts conform --json build/conform.json --junit build/conform.xml

accuracy: $(VENV)/.ready
	$(BIN)/python -m tests.native.accuracy --full --json docs/accuracy/cpu.json
	$(BIN)/python -m tests.native.accuracy.page $(sort $(wildcard docs/accuracy/*.json) docs/accuracy/cpu.json) > docs/accuracy.md

fuzz: $(VENV)/.ready
	$(BIN)/python -m tests.fuzz --find-all --seconds $(FUZZ_SECONDS) $(if $(FUZZ_SEED),--seed $(FUZZ_SEED))

coverage: $(VENV)/.ready
	$(BIN)/python -m tests.native.coverage

docs: $(VENV)/.ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

pictures: $(VENV)/.ready
	$(BIN)/python -m docs.pictures

runtimes: $(VENV)/.ready | build
	$(BIN)/python -m docs.runtimes
	$(BIN)/python -m docs.pictures

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
