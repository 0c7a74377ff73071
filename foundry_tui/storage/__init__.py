"""One SQLite file for what outlives the program; importing this package imports no database driver."""

from foundry_tui.storage.database import Database
from foundry_tui.storage.process_lock import FileLock
from foundry_tui.storage.queue_hint import has_unfinished_downloads
from foundry_tui.storage.stored_downloads import StoredDownloads, StoredLicenses
from foundry_tui.storage.stored_judgements import StoredJudgements
from foundry_tui.storage.stored_runs import StoredRuns
from foundry_tui.storage.stored_scores import StoredScores
from foundry_tui.storage.stores import StoredConversations, StoredInputs, StoredPrompts

__all__ = [
    "Database",
    "FileLock",
    "StoredConversations",
    "StoredDownloads",
    "StoredInputs",
    "StoredJudgements",
    "StoredLicenses",
    "StoredPrompts",
    "StoredRuns",
    "StoredScores",
    "has_unfinished_downloads",
]
