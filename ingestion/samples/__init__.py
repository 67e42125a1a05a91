"""Generated sample data, for every source that nobody has configured."""
