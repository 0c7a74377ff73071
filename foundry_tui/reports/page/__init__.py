"""The parts of a run's HTML page; ``run_html`` puts them together."""
