"""Answers over HTTP, stamped where the clock is read."""
