"""The workspace and what opens over it."""
