"""Readings of the machine, its GPUs and the engine's process; a missing sensor is a normal state."""
