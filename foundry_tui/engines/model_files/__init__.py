"""A model's folder on the disk, and whether it is sound."""
