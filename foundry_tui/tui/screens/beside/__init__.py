"""One question to a few models at once, and judging their answers where they stand."""
