"""What is kept: the database and the settings."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from foundry_tui.config.locate import config_folders
from foundry_tui.config.settings_file import TomlSettingsFile
from foundry_tui.launching import Launch, endpoint_address
from foundry_tui.ports.storage import (
    AcceptedLicenses,
    ConversationStore,
    InputHistory,
    JudgeStore,
    PromptLibrary,
    RunStore,
    ScoreStore,
    SettingsStore,
)
from foundry_tui.storage import (
    Database,
    StoredConversations,
    StoredDownloads,
    StoredInputs,
    StoredJudgements,
    StoredLicenses,
    StoredPrompts,
    StoredRuns,
    StoredScores,
)

__all__ = ["Archive", "database_path", "open_archive", "settings_file"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """What outlives the program, without an engine."""

    conversations: ConversationStore
    prompts: PromptLibrary
    history: InputHistory
    downloads: StoredDownloads
    licenses: AcceptedLicenses
    runs: RunStore
    scores: ScoreStore
    judgements: JudgeStore


@asynccontextmanager
async def open_archive(launch: Launch) -> AsyncGenerator[Archive, None]:
    """The database; the file itself is opened at the first use."""
    database = Database(database_path(launch))
    of_runs = database if launch.store_path in (None, database.path) else Database(launch.store_path)
    try:
        yield Archive(
            conversations=StoredConversations(database),
            prompts=StoredPrompts(database),
            history=StoredInputs(database),
            downloads=StoredDownloads(database),
            licenses=StoredLicenses(database),
            runs=StoredRuns(of_runs),
            scores=StoredScores(of_runs),
            judgements=StoredJudgements(of_runs),
        )
    finally:
        await of_runs.aclose()
        await database.aclose()


def database_path(launch: Launch) -> Path:
    """Where the database lies, or will."""
    return launch.setup.data_dir / "foundry-tui.db"


def settings_file(launch: Launch) -> SettingsStore:
    """The settings with their origins, as a screen edits them."""
    return TomlSettingsFile(
        config_folders(launch.options.config_dir),
        overrides=launch.overrides,
        checks={"engine.endpoint": endpoint_address},
    )
