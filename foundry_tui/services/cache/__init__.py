"""Models on the disk: sound, used, moved, removed."""
