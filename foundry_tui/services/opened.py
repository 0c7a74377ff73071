"""The services that a front end is handed, already open."""

from dataclasses import dataclass
from pathlib import Path

from foundry_tui.aio import Tasks
from foundry_tui.domain.chat import ChatOptions
from foundry_tui.services.client import ClientService
from foundry_tui.services.sampling import ResourceSampler

__all__ = ["Services", "Setup"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What was decided before anything opened, as far as a front end shows or uses it.

    Attributes:
        where: The engine's place in a few words.
        start_with: Variant to load and talk to at once; None leaves the choice to the user.
        settings_path: The file that the settings come from.
        logs_dir: Logs of the child processes and of the runtime.
    """

    chat: ChatOptions
    theme: str
    where: str
    is_offline: bool
    start_with: str | None
    settings_path: Path
    data_dir: Path
    logs_dir: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything shared; whoever opened it closes it."""

    client: ClientService
    sampler: ResourceSampler
    background: Tasks
    setup: Setup
