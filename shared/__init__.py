"""The core every task plugs into: config, data contracts, model, loop, evaluation, records, leaderboards."""
