"""Scoring answers: what is shown to whom, and in which order."""
