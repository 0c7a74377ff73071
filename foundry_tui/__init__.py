"""foundry-tui: find, try, measure, judge and choose language models that run on your own machine."""

__all__ = ["__version__"]

__version__ = "0.1.0"
