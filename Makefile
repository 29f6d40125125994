# The project's commands; each makes the environment it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test check format storm bench bench-plan conformance board-check clean

$(INSTALLED): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[ml,embeddings,local,mcp,openapi,optimize,plan,examples,dev]'
	$(BIN)/parti local install || echo 'going on without the local language model: its tests are skipped'
	@touch $(INSTALLED)

demo: $(INSTALLED)
	$(BIN)/parti up examples/lending/app.py --stand-ins $(UP)

test: $(INSTALLED)
	$(BIN)/python -m pytest -n auto

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

storm: $(INSTALLED)
	$(BIN)/python -m pytest -m storm tests

bench: $(INSTALLED)
	$(BIN)/python -m bench

# Predicted against measured: some twelve minutes on a machine on which nothing else goes on. PLAN=--quick shows that it runs.
bench-plan: $(INSTALLED)
	$(BIN)/python -m bench.plan $(PLAN)

# What the Model Context Protocol's own tests say; they need Node.js 22, which comes along.
conformance: $(INSTALLED)
	npm install --silent --no-save --prefix .conformance @modelcontextprotocol/conformance@0.1.16 node@22
	$(BIN)/python -m pytest tests/serve/test_mcp_conformance.py

# The types of the board's page, by the compiler that checks them and the packages that its libraries come from.
BOARD_PACKAGES := typescript@5.9.3 preact@11.2.0 htm@3.1.1 @preact/signals@2.11.4
board-check:
	@command -v npm >/dev/null || { echo 'the types of the page are not checked: that needs npm'; exit 0; }; \
	npm install --silent --no-save --prefix .board-check $(BOARD_PACKAGES) && \
	.board-check/node_modules/.bin/tsc --project tests/board/tsconfig.json

clean:
	rm -rf $(VENV) .conformance .board-check artefacts .venv-bench .venv-bench-crewai .venv-bench-simulation build dist
