"""`python -m tasks.ner VERB`."""

from shared.cli import main

if __name__ == "__main__":
    main("ner")
