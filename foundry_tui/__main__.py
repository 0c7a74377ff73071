"""``python -m foundry_tui`` is the same program as ``foundry-tui``."""

from foundry_tui.cli.main import entry_point

if __name__ == "__main__":
    entry_point()
