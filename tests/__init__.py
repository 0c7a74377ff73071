"""Tests of foundry-tui."""
