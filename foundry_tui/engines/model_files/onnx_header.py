"""What an ONNX file says of itself, read without the runtime and without reading its weights.

ONNX is a protobuf message.  Only the fields that lead to external data and to the key-value cache are
entered, all others are stepped over by seeking, so that a gigabyte of weights costs nothing.  The file is
hostile input: depth, number of fields and lengths are limited.  Field numbers: ``onnx.proto`` of ONNX 1.19.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

__all__ = ["ExternalPart", "OnnxHeader", "OnnxProblem", "read_onnx_header"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_EXTERNAL: Final = 1
_WINDOW_BYTES: Final = 65_536
_NAME_LIMIT_BYTES: Final = 4_096
_DEPTH_LIMIT: Final = 16
# A model of 80 layers has some 300,000 fields that are looked at.
_FIELD_LIMIT: Final = 3_000_000
# By TensorProto.DataType; two elements share a byte in the 4-bit types 21, 22 and 23.
_BITS: Final = {
    1: 32, 2: 8, 3: 8, 4: 16, 5: 16, 6: 32, 7: 64, 9: 8, 10: 16, 11: 64, 12: 32, 13: 64, 14: 64, 15: 128,
    16: 16, 17: 8, 18: 8, 19: 8, 20: 8, 21: 4, 22: 4, 23: 4,
}  # fmt: skip


class OnnxProblem(Exception):
    """The file is no usable ONNX file; in words that go on from its name."""


@dataclass(frozen=True, slots=True)
class ExternalPart:
    """Weights that lie in a file of their own.

    Attributes:
        location: As written in the file, relative to its folder; not to be trusted as a path.
        end_bytes: How long that file must be at least.
    """

    location: str
    end_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxHeader:
    """What was found.

    Attributes:
        external: One part for each file that is named, the one that reaches furthest into it.
        cache_value_bytes: Size of one value of the key-value cache, by the type of the first input whose name
            tells that it is one; None if there is none.
    """

    external: tuple[ExternalPart, ...] = ()
    cache_value_bytes: int | None = None


def read_onnx_header(path: Path) -> OnnxHeader:
    """Walk through the file as far as it takes to know what it needs.

    Raises:
        OnnxProblem: It is empty, cut off, no ONNX file, or larger than can be looked at.
        OSError: It cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        return _Walk(file).header()


class _Walk:
    """One pass over one file."""

    def __init__(self, file: BinaryIO | io.RawIOBase) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END)
        self._window = b""
        self._start = 0  # of the window, in the file
        self._at = 0
        self._fields_left = _FIELD_LIMIT
        self._ends: dict[str, int] = {}
        self._cache_value_bytes: int | None = None

    def header(self) -> OnnxHeader:
        if self._size == 0:
            raise OnnxProblem("is empty")
        version, has_graph, has_operators = 0, False, False
        for number, kind, end in self._fields(self._size, 0):
            if number == 1 and kind == _VARINT:  # ir_version
                version = self._varint()
            elif number == 7 and kind == _BYTES:
                has_graph = True
                self._graph(end, 1)
            elif number == 8 and kind == _BYTES:  # opset_import
                has_operators = True
            elif number == 25 and kind == _BYTES:  # functions
                self._each(end, 1, {7: self._node})
        if not has_graph or not 1 <= version <= 1_000:
            raise OnnxProblem("is no ONNX file: it holds no graph" if version else "is no ONNX file")
        if not has_operators:
            raise OnnxProblem("is cut off: the versions of its operators are missing")
        parts = tuple(ExternalPart(location, end) for location, end in self._ends.items())
        return OnnxHeader(external=parts, cache_value_bytes=self._cache_value_bytes)

    def _graph(self, end: int, depth: int) -> None:
        self._each(end, depth, {
            1: self._node, 5: self._tensor, 11: self._input, 15: self._sparse,
        })  # fmt: skip

    def _node(self, end: int, depth: int) -> None:
        self._each(end, depth, {5: self._attribute})

    def _attribute(self, end: int, depth: int) -> None:
        self._each(end, depth, {
            5: self._tensor, 6: self._graph, 10: self._tensor, 11: self._graph,
            22: self._sparse, 23: self._sparse,
        })  # fmt: skip

    def _sparse(self, end: int, depth: int) -> None:
        self._each(end, depth, {1: self._tensor, 2: self._tensor})

    def _each(self, end: int, depth: int, inside: dict[int, Callable[[int, int], None]]) -> None:
        """Enter the fields named in ``inside``, step over all others."""
        for number, kind, field_end in self._fields(end, depth):
            if kind == _BYTES and (enter := inside.get(number)) is not None:
                enter(field_end, depth + 1)

    def _tensor(self, end: int, depth: int) -> None:
        entries: dict[str, str] = {}
        elements, element_type, is_external = 1, 0, False
        for number, kind, field_end in self._fields(end, depth):
            if number == 13 and kind == _BYTES:  # external_data
                key, value = self._entry(field_end, depth + 1)
                entries[key] = value
            elif number == 14 and kind == _VARINT:
                is_external = self._varint() == _EXTERNAL
            elif number == 2 and kind == _VARINT:
                element_type = self._varint()
            elif number == 1 and kind == _VARINT:
                elements *= self._varint()
            elif number == 1 and kind == _BYTES:
                while self._at < field_end:
                    elements *= self._varint(field_end)
        if not is_external:
            return
        location = entries.get("location", "")
        if not location:
            raise OnnxProblem("names no file for weights that are not in it")
        offset, length = _count(entries.get("offset", "0")), _count(entries.get("length"))
        if length is None:
            length = elements * _BITS.get(element_type, 0) // 8
        if offset is None:
            raise OnnxProblem("does not say where its weights begin")
        self._ends[location] = max(self._ends.get(location, 0), offset + length)

    def _entry(self, end: int, depth: int) -> tuple[str, str]:
        texts = {1: "", 2: ""}
        for number, kind, field_end in self._fields(end, depth):
            if kind == _BYTES and number in texts:
                texts[number] = self._text(field_end)
        return texts[1], texts[2]

    def _input(self, end: int, depth: int) -> None:
        if self._cache_value_bytes is not None:
            return
        name, element_type = "", 0
        for number, kind, field_end in self._fields(end, depth):
            if number == 1 and kind == _BYTES:
                name = self._text(field_end)
            elif number == 2 and kind == _BYTES:  # TypeProto
                for inner, inner_kind, inner_end in self._fields(field_end, depth + 1):
                    if inner == 1 and inner_kind == _BYTES:  # its tensor_type
                        for last, last_kind, _ in self._fields(inner_end, depth + 2):
                            if last == 1 and last_kind == _VARINT:
                                element_type = self._varint()
        if name.startswith("past_key") and element_type in _BITS:
            self._cache_value_bytes = max(1, _BITS[element_type] // 8)

    def _fields(self, end: int, depth: int) -> Iterator[tuple[int, int, int]]:
        """Each field up to ``end``: number, wire type, end.  What its reader leaves is stepped over."""
        if depth > _DEPTH_LIMIT:
            raise OnnxProblem("is nested too deeply to be looked at")
        while self._at < end:
            self._fields_left -= 1
            if self._fields_left < 0:
                raise OnnxProblem("has more parts than can be looked at")
            tag = self._varint(end)
            number, kind = tag >> 3, tag & 7
            if number == 0:
                raise OnnxProblem("is no ONNX file, or was damaged")
            if kind == _BYTES:
                length = self._varint(end)
                field_end = self._at + length
            elif kind in (_FIXED64, _FIXED32):
                field_end = self._at + (8 if kind == _FIXED64 else 4)
            elif kind == _VARINT:
                at = self._at
                self._varint(end)
                field_end, self._at = self._at, at
            else:
                raise OnnxProblem("is no ONNX file, or was damaged")
            if field_end > end:
                if field_end > self._size and end == self._size:
                    raise OnnxProblem(f"is cut off: it has {self._size:,} bytes of at least {field_end:,}")
                raise OnnxProblem("is no ONNX file, or was damaged")
            yield number, kind, field_end
            self._at = field_end

    def _varint(self, end: int | None = None) -> int:
        """The number here, unsigned, at most 64 bits; the reader's place moves behind it."""
        value = shift = 0
        limit = self._size if end is None else end
        while True:
            at = self._at - self._start
            if not 0 <= at < len(self._window):
                self._look(self._at)
                at = 0
            if self._at >= limit or not self._window:
                raise OnnxProblem("is cut off" if limit >= self._size else "is no ONNX file, or was damaged")
            byte = self._window[at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise OnnxProblem("is no ONNX file, or was damaged")

    def _text(self, end: int) -> str:
        length = end - self._at
        if length > _NAME_LIMIT_BYTES:
            raise OnnxProblem("has a name in it that is too long to be one")
        at = self._at - self._start
        if at < 0 or at + length > len(self._window):
            self._look(self._at)
            at = 0
        self._at = end
        return self._window[at : at + length].decode("utf-8", errors="replace")

    def _look(self, at: int) -> None:
        self._file.seek(at)
        self._window = self._file.read(_WINDOW_BYTES) or b""
        self._start = at


def _count(text: str | None) -> int | None:
    if text is None or len(text) > 20 or not text.isascii() or not text.isdigit():
        return None
    return int(text)
