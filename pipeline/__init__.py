"""A day's run: steps, gates, the ledger, publishing and the `tradewinds` command."""
