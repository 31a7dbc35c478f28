"""`python -m tasks.summarization VERB`."""

from shared.cli import main

if __name__ == "__main__":
    main("summarization")
