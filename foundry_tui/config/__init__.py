"""The user's files: models, prompts and settings, found, read, checked and turned into plain values.

The one door of pydantic, which is imported only when a file has something in it to check.
"""

from foundry_tui.config.locate import config_folders, find_file
from foundry_tui.config.models_file import load_models
from foundry_tui.config.prompts_file import load_prompts
from foundry_tui.config.settings import load_settings
from foundry_tui.config.values import (
    ChatSettings,
    DownloadSettings,
    EngineSettings,
    LicenseSettings,
    ModelEntry,
    Prompt,
    ScreenSettings,
    Settings,
)

__all__ = [
    "ChatSettings",
    "DownloadSettings",
    "EngineSettings",
    "LicenseSettings",
    "ModelEntry",
    "Prompt",
    "ScreenSettings",
    "Settings",
    "config_folders",
    "find_file",
    "load_models",
    "load_prompts",
    "load_settings",
]
