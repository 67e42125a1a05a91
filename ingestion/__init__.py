"""Extract sources into landing and load landing into raw."""
