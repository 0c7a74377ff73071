"""Choosing among measured models: limits, a table, the Pareto list, and quality against latency."""
