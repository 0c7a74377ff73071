"""Where a configuration file is found: ``--config``, ``./config``, the user's folder, what is shipped."""

from pathlib import Path

from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line

__all__ = ["config_folders", "find_file", "find_prompts", "ready_prompts", "shipped_folder"]


def config_folders(given: Path | None = None) -> tuple[Path, ...]:
    """The folders to look in, the first one first; all but ``given`` and the last may not exist.

    The user's own folder is the last but one, what is shipped the last.

    Raises:
        BadInput: ``given``, the value of ``--config``, is no folder.
    """
    import platformdirs  # late: only commands that read a file need it

    user = platformdirs.user_config_path("foundry-tui", appauthor=False)
    here, shipped = Path("config"), shipped_folder()
    # In a source checkout they are one; whoever works there does not mean to edit what is shipped.
    own = (user,) if _is_same(here, shipped) else (here, user)
    named = () if given is None else (_checked(given),)
    return (*named, *own, shipped)


def find_file(name: str, folders: tuple[Path, ...]) -> Path:
    """The path of the first folder's ``name``; whether it can be read shows when it is read.

    Raises:
        BadInput: No folder has it.
    """
    for folder in folders:
        if _is_there(folder / name):
            return folder / name
    places = ", ".join(clean_line(str(folder)) for folder in folders)
    raise BadInput(f"{name} is in none of {places}", remedy="Install foundry-tui again.")


def find_prompts(named: Path, config_dir: Path | None = None) -> Path:
    """The file of prompts that ``--prompts`` names: a path, or a ready set such as ``rag``.

    A file of that name goes before a set, a folder behind it; whether it can be read shows when it is read.

    Raises:
        BadInput: ``config_dir`` is no folder, or it is a bare name and neither a file nor a set.
    """
    if len(named.parts) != 1 or named.suffix or (_is_there(named) and not _is_folder(named)):
        return named
    folders = config_folders(config_dir)
    for folder in folders:
        path = folder / f"prompts-{named.name}.json"
        if _is_there(path):
            return path
    sets = ", ".join(clean_line(name) for name in ready_prompts(folders))
    raise BadInput(
        clean_line(f"--prompts {named}: expected a file or a ready set, found neither"),
        remedy=f"name a file, or one of {sets}",
    )


def ready_prompts(folders: tuple[Path, ...]) -> tuple[str, ...]:
    """Names of the ready sets: of every ``prompts-NAME.json`` in the folders."""
    names = set()
    for folder in folders:
        try:
            names |= {path.stem.removeprefix("prompts-") for path in folder.glob("prompts-*.json")}
        except OSError:
            continue
    return tuple(sorted(names))


def shipped_folder() -> Path:
    """The defaults in the installed package; in a source checkout the ``config`` beside the package."""
    packaged = Path(__file__).parent / "defaults"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "config"


def _checked(given: Path) -> Path:
    remedy = "Give --config a folder with models.json, prompts.json or settings.toml in it."
    try:
        if given.is_dir():
            return given
        found = "a file" if given.exists() else "nothing"
    except (OSError, ValueError) as error:
        found = f"what cannot be read ({error})"
    raise BadInput(clean_line(f"--config {given}: expected a folder, found {found}"), remedy=remedy)


def _is_same(folder: Path, other: Path) -> bool:
    try:
        return folder.samefile(other)
    except (OSError, ValueError):
        return False


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _is_there(path: Path) -> bool:
    """Whether the user put anything there, a dangling link or an unreadable file too: those are told of."""
    try:
        return path.exists() or path.is_symlink()
    except OSError:
        return True
