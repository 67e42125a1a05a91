"""The work of a run date: its steps, what each needs, and whole days."""
