"""The people database that Tradewinds owns: input by REST and CSV, backups and reports."""
