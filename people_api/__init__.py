"""The people database that Tradewinds owns: what comes in by REST and CSV, its backups, and its reports."""
