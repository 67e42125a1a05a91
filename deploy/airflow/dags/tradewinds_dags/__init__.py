"""What the DAGs are made of; every task calls the `tradewinds` command, and nothing here knows what a step does."""
