"""What lies in a blob: bytes that can be read anywhere, whether they exist on disk or are made up."""

import hashlib
import random
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

__all__ = ["Content", "FileContent", "Inline", "Synthetic", "sha256"]

_BLOCK_BYTES = 1 << 16
_NUMBER = struct.Struct(">Q")


class Content(Protocol):
    """Bytes of known number, readable at any place."""

    @property
    def size_bytes(self) -> int:
        """How many there are."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset``; fewer only at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Inline:
    """Bytes held in memory."""

    data: bytes

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    def read(self, offset: int, length: int) -> bytes:
        return self.data[offset : offset + length]


@dataclass(frozen=True, slots=True)
class FileContent:
    """A file of this machine."""

    path: Path

    @property
    def size_bytes(self) -> int:
        return self.path.stat().st_size

    def read(self, offset: int, length: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthetic:
    """Made-up bytes: any number of them, the same for the same seed, none held in memory.

    Each 64 KiB begin with their own number, so that a piece written to the wrong place is found.
    """

    size_bytes: int
    seed: int = 0

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size_bytes)
        pool = _pool(self.seed)
        parts: list[bytes] = []
        at = offset
        while at < end:
            block, within = divmod(at, _BLOCK_BYTES)
            stop = min(_BLOCK_BYTES, within + end - at)
            if within < _NUMBER.size:
                number = _NUMBER.pack(block)[within:stop]
                parts += (number, pool[within + len(number) : stop])
            else:
                parts.append(pool[within:stop])
            at += stop - within
        return b"".join(parts)


def sha256(content: Content) -> str:
    """The hash of all of it, in hexadecimal digits."""
    digest = hashlib.sha256()
    for offset in range(0, content.size_bytes, 1 << 20):
        digest.update(content.read(offset, 1 << 20))
    return digest.hexdigest()


@lru_cache(maxsize=64)
def _pool(seed: int) -> bytes:
    return random.Random(seed).randbytes(_BLOCK_BYTES)
