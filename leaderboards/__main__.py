"""`python -m leaderboards VERB`."""

from shared.boards.cli import main

main()
