"""Servers that are somebody else's."""
