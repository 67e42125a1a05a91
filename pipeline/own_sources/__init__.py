"""Add a source to the project, and list the sources."""
