# `make help` lists the targets. Everything is installed into VENV; nothing outside is touched.
TOOLS := build/rehearsal/tools
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
SAMPLE := data/01_raw/sample
EXECUTORS := build/executors/executors.tar.gz
PACKAGED := $(shell find src conf -type f -not -name '*.pyc' -not -path '*.egg-info/*' -not -path 'conf/local/*')
EXTRAS ?=
TEST ?=
COUNTY := $(shell find src/aerial_kedro/examples/county -name '*.py')

# No usage data leaves this machine.
export KEDRO_DISABLE_TELEMETRY := 1
export DO_NOT_TRACK := 1
export MLFLOW_DISABLE_TELEMETRY := true

.DEFAULT_GOAL := help
.PHONY: help install run test browser lint format bench bench-all bench-applicability bench-applicability-places bench-assessment bench-catalog bench-cells bench-county bench-distance bench-engines bench-growth bench-labels bench-scale bench-start bench-training cost package executors rehearsal viz mlflow clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

install: $(VENV)/.installed ## create the virtual environment and install the pinned dependencies

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Python 3.11 is needed: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

$(SAMPLE)/.drawn: $(VENV)/.installed $(COUNTY) conf/base/sample_data/parameters.yml
	$(BIN)/kedro run --pipeline=sample_data
	touch $@

run: $(SAMPLE)/.drawn ## draw the embedded sample, run the main job on it, say where the report is
	$(BIN)/kedro run

# A process of pytest-xdist that dies ends the run: with its groups it would hang.
test: $(VENV)/.installed ## run the test suite, in two processes (TEST="-k name": some of it)
	$(BIN)/pytest --numprocesses=2 --max-worker-restart=0 --dist=loadgroup --no-loadscope-reorder --ignore=tests/browser $(TEST)

browser: $(VENV)/.installed ## test the labelling page in Chromium (Debian's package `chromium`)
	@command -v chromium >/dev/null || { echo "no chromium: apt-get install chromium" >&2; exit 1; }
	$(BIN)/pytest tests/browser $(TEST)

lint: $(VENV)/.installed ## check style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed ## measure featurization against a bare loop (BENCH=--synapseml: and ImageFeaturizer); ends with a line of JSON
	$(BIN)/python -m benchmarks.featurization $(BENCH)

bench-all: $(VENV)/.installed ## run the benchmarks behind the table of figures, 16 to 48 minutes on two cores, and write it into benchmarks/results (BENCH=--against=REVISION: start and main job of another, too)
	$(BIN)/python -m benchmarks.suite $(BENCH)

bench-start: $(VENV)/.installed ## measure the sample, the first node, and the main job twice; ends with a line of JSON
	$(BIN)/python -m benchmarks.start $(BENCH)

bench-scale: $(VENV)/.installed $(TOOLS)/node_modules/.bin/azurite-blob ## measure memory, files, tasks and requests as functions of tiles; needs Node and npm; ends with a line of JSON
	$(BIN)/python -m benchmarks.scale --azurite=$(TOOLS)/node_modules/.bin/azurite-blob --ivy=$(TOOLS)/ivy $(BENCH)

bench-county: $(VENV)/.installed ## measure a county of 67,000 tiles, from features that are there to the report
	$(BIN)/python -m benchmarks.county

bench-cells: $(VENV)/.installed ## print how right the maps of cells of the sample and of a draft are, and measure what they cost
	$(BIN)/python -m benchmarks.cells

bench-applicability: $(VENV)/.installed ## print whether what models say of where they hold is true on the sample; ends with a line of JSON
	$(BIN)/python -m benchmarks.applicability

bench-applicability-places: $(VENV)/.installed ## print whether what models say of where they hold is true of real places left out (needs the real data); ends with a line of JSON
	$(BIN)/python -m benchmarks.applicability_places

bench-assessment: $(VENV)/.installed ## print how often the intervals of an assessment hold the truth, from the sample's maps; ends with a line of JSON
	$(BIN)/python -m benchmarks.assessment

bench-labels: $(VENV)/.installed ## print what few labels teach, of the labelling page's choice and by chance; ends with a line of JSON
	$(BIN)/python -m benchmarks.few_labels

bench-training: $(VENV)/.installed ## measure fitting the classifiers on 44,000 tiles; ends with a line of JSON
	$(BIN)/python -m benchmarks.training

bench-engines: $(VENV)/.installed ## measure engines, precisions, batches and options on one thread; ends with a line of JSON
	$(BIN)/python -m benchmarks.engines

bench-distance: $(VENV)/.installed ## measure what a slow network before tiles costs a worker; ends with a line of JSON
	$(BIN)/python -m benchmarks.distance

bench-growth: $(VENV)/.installed ## measure featurization of 5,000 to 60,000 tiles, its memory too; ends with a line of JSON
	$(BIN)/python -m benchmarks.growth

bench-catalog: $(VENV)/.installed ## measure the tile catalog, its speed and memory; ends with a line of JSON
	$(BIN)/python -m benchmarks.catalog

cost: $(VENV)/.installed ## print what a cluster would take for a county, a state, a country: a model
	$(BIN)/python -m benchmarks.cost

$(TOOLS)/node_modules/.bin/azurite-blob:
	npm install --no-audit --no-fund --prefix $(TOOLS) azurite@3.35.0

dist/.packaged: $(VENV)/.installed $(PACKAGED) deployment/job.py
	rm -rf build/lib dist
	mkdir -p build
	$(BIN)/kedro package >build/package.log 2>&1 || { cat build/package.log; exit 1; }
	cp deployment/job.py dist/aerial_kedro_job.py
	touch $@

package: dist/.packaged ## build the wheel, the archive of conf/ and the entry file for spark-submit, in dist/

$(EXECUTORS): dist/.packaged constraints.txt deployment/executors.py deployment/executors.txt
	$(BIN)/python -m deployment.executors --archive=$@ dist/*.whl $(EXTRAS)

executors: $(EXECUTORS) ## build the archive with the Python of Spark's workers (EXTRAS=openvino adds to it)

rehearsal: $(VENV)/.installed $(TOOLS)/node_modules/.bin/azurite-blob $(EXECUTORS) ## run --env=cluster on this machine, with faults; needs Node and npm; ends with a line of JSON
	$(BIN)/python -m rehearsal --tools=$(TOOLS) $(REHEARSAL)

viz: $(VENV)/.installed ## show the pipeline graph on http://127.0.0.1:4141
	$(BIN)/kedro viz run --host=127.0.0.1 --no-browser

mlflow: $(VENV)/.installed ## show the run history on http://127.0.0.1:5000
	PATH="$(abspath $(BIN)):$$PATH" kedro mlflow ui --host=127.0.0.1 --port=5000

clean: ## remove what runs have made; inputs under data/01_raw stay
	find data -mindepth 2 -not -path 'data/01_raw/*' -not -name .gitkeep -delete
