"""Catalogs as the runtime keeps them and as the public ones answer."""
