"""`python -m tasks.anomaly VERB`."""

from shared.cli import main

if __name__ == "__main__":
    main("anomaly")
