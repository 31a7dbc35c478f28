"""Retrieval: asking the right question, and ordering the answers; two tasks that meet through files.

`reranking` (the default) orders passages for a query as a team's own judgements would: a first stage (BM25,
an encoder, or both fused) finds candidates, a tuned dual encoder or cross-encoder orders them, each with a
probability of being relevant, and "nothing here answers this" is an answer. `query_generation` writes the
queries that readers of a passage would write. The verb `bootstrap` joins them: passages without a single
label become generated queries, filtered pairs and a tuned ranker.

Data: TAT-QA (questions over reports' tables and paragraphs; CC BY 4.0), FinanceBench (pages of filings; test
only), a sample of DBpedia-Entity, BEIR folders of your own, and an invented sample corpus. Answer: an order
of passages, or queries. Metric: nDCG@10; for queries the share whose own passage comes back first.
"""
