"""Generated sample data for every source without settings."""
