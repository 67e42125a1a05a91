"""The day's run: steps and their gates, the ledger, publishing and the `tradewinds` command."""
