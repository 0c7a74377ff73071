"""Everything that talks to a model, and the child process in which it happens."""
