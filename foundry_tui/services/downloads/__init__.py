"""The queue of downloads, and what is asked before and after each."""
