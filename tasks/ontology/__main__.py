"""`python -m tasks.ontology VERB`."""

from shared.cli import main

if __name__ == "__main__":
    main("ontology")
