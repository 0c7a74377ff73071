"""The user's own files: read whole and in bounds, written anew and never over something."""

import asyncio
import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from foundry_tui.domain.errors import BadInput, StorageProblem

__all__ = ["TextFile", "read_text", "write_new"]

_LIMIT_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFile:
    """A file that was read.

    Attributes:
        name: Without its folder.
        text: Without a byte order mark; line ends are line feeds.
    """

    name: str
    text: str


async def read_text(path: str, *, limit_bytes: int = _LIMIT_BYTES) -> TextFile:
    """Read a text file of UTF-8, or of UTF-16 with a byte order mark.

    Raises:
        BadInput: It is not there, cannot be read, is no text, or is larger than ``limit_bytes``.
    """
    return await asyncio.to_thread(_read_text, path, limit_bytes)


async def write_new(path: str, text: str, *, replaces: bool = False) -> Path:
    """Write a file that was not there, whole or not at all; its absolute path.

    ``replaces`` says that the user agreed to lose what is there.

    Raises:
        BadInput: Something of that name is there, or the path cannot be used.
        StorageProblem: It cannot be written.
    """
    return await asyncio.to_thread(_write_new, path, text, replaces)


def _read_text(name: str, limit_bytes: int) -> TextFile:
    path = _path(name)
    try:
        if path.is_dir():
            raise BadInput(f"{path} is a folder", remedy="name a text file")
        if not path.is_file():
            # Not opened: a pipe or a device may never come to an end.
            raise BadInput(f"{path}: no such file", remedy="check the path; Tab completes it")
        with path.open("rb") as file:
            data = file.read(limit_bytes + 1)
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read: {_reason(error)}", remedy="check its permissions") from error
    if len(data) > limit_bytes:
        raise BadInput(
            f"{path} is larger than {limit_bytes // 1000} kB", remedy="take the part of it that matters"
        )
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{path} is no UTF-8 text (byte {error.start})", remedy="save it as UTF-8, or pick a text file"
        ) from error
    if "\0" in text:
        raise BadInput(f"{path} is no text: it holds NUL characters", remedy="pick a text file")
    return TextFile(name=path.name, text=text.replace("\r\n", "\n").replace("\r", "\n"))


def _write_new(name: str, text: str, replaces: bool) -> Path:
    path = _path(name)
    part = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.part")
    try:
        if not path.parent.is_dir():
            raise BadInput(f"{path.parent} is no folder", remedy="name a folder that exists")
        if not replaces and (path.exists() or path.is_symlink()):
            raise BadInput(f"{path} exists already", remedy="give another name; nothing is overwritten")
        with part.open("x", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replaces:
            if path.exists():
                shutil.copymode(path, part)
            part.replace(path)
        else:
            _name_anew(part, path)
    except (OSError, ValueError) as error:
        raise StorageProblem(
            f"{path} cannot be written: {_reason(error)}", remedy="name another folder, or free some space"
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return path


def _name_anew(temporary: Path, path: Path) -> None:
    """Give the file its name, if no other has taken it meanwhile."""
    try:
        os.link(temporary, path)  # unlike a rename it never replaces
    except FileExistsError as error:
        raise BadInput(f"{path} exists already", remedy="give another name") from error
    except OSError:  # a file system without links: taken first, so that no other can take it, then replaced
        try:
            path.open("xb").close()
        except FileExistsError as error:
            raise BadInput(f"{path} exists already", remedy="give another name") from error
        temporary.replace(path)


def _path(name: str) -> Path:
    if not name.strip() or "\0" in name:
        raise BadInput("no file was named", remedy="type a path, such as ~/notes.txt")
    try:
        return Path(name).expanduser().absolute()
    except (OSError, RuntimeError, ValueError) as error:
        raise BadInput(f"{name!r} is no usable path", remedy="name it in full") from error


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
