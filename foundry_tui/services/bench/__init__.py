"""Benchmarks: planned, run, resumed; every request is kept before it is told of."""
