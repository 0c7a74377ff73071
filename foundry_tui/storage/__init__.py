"""One SQLite file for what outlives the program; importing this package imports no database driver."""

from foundry_tui.storage.database import Database
from foundry_tui.storage.stores import StoredConversations, StoredInputs, StoredPrompts

__all__ = ["Database", "StoredConversations", "StoredInputs", "StoredPrompts"]
