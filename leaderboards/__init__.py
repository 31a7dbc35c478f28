"""The published tables and records, and the command that decides on them: `python -m leaderboards`."""
