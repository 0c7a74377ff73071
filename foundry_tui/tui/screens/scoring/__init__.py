"""Judging the answers of a run by keys, blind, and what came of it."""
