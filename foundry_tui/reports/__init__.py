"""Numbers in words: pure functions from results to text, shared by screen and command line."""
