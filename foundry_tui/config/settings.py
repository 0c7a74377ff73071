"""``settings.toml``: everything that the settings screen offers, one key each."""

from pathlib import Path

from foundry_tui.config.documents import read_toml
from foundry_tui.config.values import (
    ChatSettings,
    DownloadSettings,
    EnergySettings,
    EngineSettings,
    LicenseSettings,
    ScreenSettings,
    Settings,
)
from foundry_tui.domain.chat import PhaseTimeouts

__all__ = ["load_settings"]


def load_settings(path: Path) -> Settings:
    """Read the settings; a key that is absent has its default.

    Raises:
        BadInput: The file cannot be read, is not TOML, has an unknown key or a value that is not allowed.
    """
    document = read_toml(path)
    if _says_nothing(document.content):
        return Settings()

    # Late: pydantic is slow to import, and a file with everything commented out must not pay for it.
    from pydantic import ValidationError

    from foundry_tui.config.problems import shape_problem
    from foundry_tui.config.shapes import SettingsFile

    try:
        checked = SettingsFile.model_validate(document.content)
    except ValidationError as error:
        raise shape_problem(document, SettingsFile, error, "settings") from error
    return Settings(
        chat=ChatSettings(**checked.chat.model_dump()),
        timeouts=PhaseTimeouts(**checked.timeouts.model_dump()),
        engine=EngineSettings(**checked.engine.model_dump()),
        downloads=DownloadSettings(**checked.downloads.model_dump()),
        licenses=LicenseSettings(**checked.licenses.model_dump()),
        energy=EnergySettings(**checked.energy.model_dump()),
        screen=ScreenSettings(**checked.screen.model_dump()),
        keys=checked.keys,
    )


def _says_nothing(content: object) -> bool:
    """Whether there are only known tables, all of them empty: the file as it is shipped."""
    tables = ("chat", "timeouts", "engine", "downloads", "licenses", "energy", "screen", "keys")
    return isinstance(content, dict) and all(
        name in tables and table == {} for name, table in content.items()
    )
