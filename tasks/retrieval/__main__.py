"""`python -m tasks.retrieval VERB`, with task=query_generation for the other half."""

from shared.cli import main

if __name__ == "__main__":
    main("reranking", "query_generation")
