"""The parts of the client service: one engine's life, its models, and the work on it."""
