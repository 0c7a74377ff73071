"""The Foundry Local runtime as one engine."""
