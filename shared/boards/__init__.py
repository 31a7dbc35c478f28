"""Leaderboards: rows and tables of published records, their price, and what follows for a team."""
