# Shortcuts for GNU make; README.md shows the same commands without it.

# The Python that creates .venv: 3.11 or newer.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test docs docs-test dist benchmarks clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

demo: .venv/.installed-examples ## Run the demo; its pictures land in examples/output/
	$(BIN)/python examples/run_demo.py

test: .venv/.installed-dev ## Lint, check types, and run the tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy
	$(BIN)/pytest -n auto --dist loadfile

docs: .venv/.installed-docs ## Build the documentation in docs/_build/html/
	$(BIN)/sphinx-build -j auto -W --keep-going docs docs/_build/html

docs-test: docs .venv/.installed-browser ## Open each page of the documentation in a browser
	$(BIN)/python tools/check_pages.py docs/_build/html

dist: .venv/.installed-dist ## Build wheel and sdist in dist/, check them, and use the wheel
	$(BIN)/python tools/check_dist.py

benchmarks: ## List the benchmarks, each with the claim that it checks
	@for f in $(filter-out benchmarks/_%,$(wildcard benchmarks/*.py)); do \
	  printf '%-44s %s\n' "$$f" "$$(head -n 1 "$$f" | tr -d '"')"; \
	done

clean: ## Delete everything that was built, except .venv
	rm -rf build dist docs/_build docs/auto_examples docs/generated examples/output
	rm -rf .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

.venv/bin/python:
	$(PYTHON) -m venv .venv

# One stamp per dependency group, so that a second call installs nothing until a requirement changes.
# The pip that comes with Python may be too old to know groups.
.venv/.installed-%: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet -c constraints.txt --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt -e . --group $*
	@touch $@
