"""An engine in a process of its own: what parent and child say to each other."""
