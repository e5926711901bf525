# make demo      export every trained model and compare runtimes
# make test      the whole test suite; ARGS="-k prelu" goes to pytest   make test-quick: without the slow ones
# make library   the native library, as far as its sources have changed; whatever runs it does this first
# make lint      ruff, mypy, clang-format                             make bench, make conform: the figures
# make docs      the site, in build/site/index.html                    make pictures: the figures of README and docs
# make versions  measure versions of ONNX Runtime (minutes, downloads them), then make pictures
# make accuracy  measure the kernels at every float32 number, and all runtimes (minutes), write docs/accuracy.md
# make tables    the operators in the README, and the accuracy page of what was measured, from the table
# make fuzz      random graphs through accelerate and lower, FUZZ_SECONDS (600) long, from FUZZ_SEED
# make mutants   put faults into a copy of the sources, one after another; each must be noticed (an hour)
# make environments  Ray and KServe, in environments of their own, for the tests with clusters
# make wheels    the source archive and the wheels of the last commit, into dist/: built, checked and run;
#                ARGS="--values" runs the value tests under qemu, too    make audit: known holes in packages
# make coverage  the branches of the C++ sources that the native tests take (minutes)
PYTHON ?= python3
VENV ?= .venv
FUZZ_SECONDS ?= 600
BIN := $(VENV)/bin
# A process for each processor; a file of tests stays in one, for what its tests share. Files keep
# the order that conftest.py gives them.
PYTEST := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
CPP := $(shell find custom_ops tests/native tests/gpu -name '*.h' -o -name '*.cc' -o -name '*.cu')

.PHONY: demo library test test-quick lint format bench conform accuracy tables fuzz mutants coverage environments docs \
  pictures versions wheels audit clean

demo: library
	$(BIN)/python -m models.demo

test: library lint
	$(PYTEST) $(ARGS)

test-quick: library
	$(PYTEST) -m "not slow" $(ARGS)

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror $(CPP)

format: $(VENV)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i $(CPP)

bench: library | build
	$(BIN)/onnx-acts bench --json build/bench.json

conform: library | build
	$(BIN)/onnx-acts conform --json build/conform.json --junit build/conform.xml

accuracy: library | build
	$(BIN)/python -m tests.native.accuracy --full --json docs/accuracy/cpu.json
	-$(BIN)/onnx-acts conform --runtimes all --groups dense --html build/dense.html --json build/dense.json
	$(BIN)/python -m tests.native.accuracy.runtimes build/dense.json docs/figures/runtimes.json
	ONNX_ACTS_BODY_STRIDE=1 $(BIN)/python -m pytest -q -s tests/definition/test_functions.py -k normal_negatives
	$(MAKE) tables

tables: $(VENV)/.ready
	$(BIN)/python -m docs.tables README.md
	$(BIN)/python -m tests.attacks.page
	$(BIN)/python -m tests.native.accuracy.page docs/figures/runtimes.json docs/accuracy/*.json \
	  > docs/accuracy.md

fuzz: library
	$(BIN)/python -m tests.fuzz --find-all --seconds $(FUZZ_SECONDS) $(if $(FUZZ_SEED),--seed $(FUZZ_SEED))

mutants: library
	$(BIN)/python -m tests.mutants

coverage: $(VENV)/.ready
	$(BIN)/python -m tests.native.builds.coverage

environments: $(VENV)/.ready
	$(BIN)/python -m tests.environments

docs: $(VENV)/.ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

pictures: $(VENV)/.ready
	$(BIN)/python -m docs.pictures

versions: library | build
	$(BIN)/python -m docs.ort_versions
	$(BIN)/python -m docs.pictures

wheels: $(VENV)/.release
	$(BIN)/python -m release $(ARGS)

audit: $(VENV)/.release
	$(BIN)/python -m release.audit

$(VENV)/.release: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
	  $$($(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['release'])" | sed 's/>=[^ ]*//g')
	touch $@

# CMake knows what depends on what; the result goes where the editable install looks for it. (CMake
# would install it only if its time had changed by a second.)
library: $(VENV)/.ready
	$(BIN)/cmake --build $(VENV)/library --parallel
	install -C -m 644 $(VENV)/library/libonnx_acts_ops.so \
	  "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("platlib"))')/onnx_acts"

# One environment for everything, made again when the pinned versions change. The build requirements
# come first: without pip's own environment for builds, the folder of this one serves the next.
$(VENV)/.ready: pyproject.toml constraints.txt
	@echo "Making the environment $(VENV); this downloads PyTorch and takes a few minutes."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt scikit-build-core cmake ninja
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	  -c constraints.txt --no-build-isolation -C build-dir=$(VENV)/library \
	  -C install.strip=false -e ".[dev]"
	touch $@

build:
	mkdir -p $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache
