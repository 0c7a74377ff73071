"""Every set of prompts that the configuration has: ``prompts.json`` and the ready ones beside it."""

from pathlib import Path

from foundry_tui.config.locate import find_file, ready_prompts
from foundry_tui.config.prompts_file import load_prompts
from foundry_tui.config.values import Prompt

__all__ = ["load_prompt_sets"]


def load_prompt_sets(folders: tuple[Path, ...]) -> dict[str, tuple[Prompt, ...]]:
    """By the name of its file; of each the one in the first folder that has it, as it would be taken.

    Raises:
        BadInput: One of them cannot be read.
    """
    names = ("prompts.json", *(f"prompts-{name}.json" for name in ready_prompts(folders)))
    return {name: load_prompts(find_file(name, folders)) for name in names}
