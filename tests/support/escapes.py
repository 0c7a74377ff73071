"""A strict reading of what a program writes to its terminal: text, and every sequence by its kind."""

from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Control", "Escape", "Output", "SequenceString", "Summary", "Written", "read_output", "summary"]

_ESC = 0x1B
_STRING_KINDS = {ord("]"): "OSC", ord("P"): "DCS", ord("_"): "APC", ord("^"): "PM", ord("X"): "SOS"}


@dataclass(frozen=True, slots=True)
class Written:
    """Text between two sequences."""

    text: str


@dataclass(frozen=True, slots=True)
class Control:
    """One control character that belongs to no sequence."""

    code: int


@dataclass(frozen=True, slots=True)
class Escape:
    """A CSI, or an escape of two or three characters, whose ``parameters`` are empty.

    Attributes:
        intermediates: What stands before the final character, with a private prefix such as ``?`` first.
    """

    kind: str
    parameters: str
    intermediates: str
    final: str


@dataclass(frozen=True, slots=True)
class SequenceString:
    """An OSC, DCS, APC, PM or SOS.

    Attributes:
        end: ``BEL`` or ``ST``.
    """

    kind: str
    body: str
    end: str


Output = Written | Control | Escape | SequenceString


@dataclass(slots=True)
class Summary:
    """What kinds of output there were.

    Attributes:
        text: All text, the pieces joined by line feeds.
        controls: Codes of the controls outside of sequences.
        escapes: Kind, intermediates and final character; for a mode that is set or reset its numbers too.
        attributes: Numbers of the SGR attributes, colours of 8 or 24 bits as ``38`` and ``48`` only.
        strings: Every string in full.
        furthest: The greatest row and the greatest column that the cursor was sent to, from 1.
    """

    text: str = ""
    controls: set[int] = field(default_factory=set)
    escapes: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    strings: list[SequenceString] = field(default_factory=list)
    furthest: tuple[int, int] = (1, 1)


def read_output(data: bytes) -> Iterator[Output]:
    """Read ``data`` from its beginning; what a terminal could read in two ways is an error.

    Raises:
        ValueError: A sequence that is cut off, spelt against the rules, or has a control in it; text that is
            no UTF-8; a control of 8 bits.
    """
    place = start = 0
    while place < len(data):
        code = data[place]
        if code >= 0x20 and code != 0x7F:
            place += 1
            continue
        if start < place:
            yield Written(_decoded(data[start:place]))
        if code == _ESC:
            found, place = _escape(data, place)
            yield found
        else:
            yield Control(code)
            place += 1
        start = place
    if start < place:
        yield Written(_decoded(data[start:place]))


def summary(data: bytes) -> Summary:
    """The kinds of everything in ``data``.

    Raises:
        ValueError: As ``read_output``.
    """
    found = Summary()
    texts: list[str] = []
    for output in read_output(data):
        match output:
            case Written(text):
                texts.append(text)
            case Control(code):
                found.controls.add(code)
            case SequenceString():
                found.strings.append(output)
            case Escape(kind, parameters, intermediates, "m") if not intermediates:
                found.escapes.add(f"{kind} m")
                found.attributes |= set(_attributes(parameters))
            case Escape("CSI", parameters, "", "H"):
                found.escapes.add("CSI H")
                row, column = (int(number) for number in (parameters or "1;1").split(";"))
                found.furthest = (max(row, found.furthest[0]), max(column, found.furthest[1]))
            case Escape(kind, parameters, intermediates, final):
                is_mode = final in "hlp" and kind == "CSI"
                numbers = parameters if is_mode else ""
                found.escapes.add(f"{kind} {intermediates}{numbers}{final}")
    found.text = "\n".join(texts)
    return found


def _decoded(data: bytes) -> str:
    text = data.decode("utf-8")
    for character in text:
        if 0x80 <= ord(character) < 0xA0:
            raise ValueError(f"a control of 8 bits, U+{ord(character):04X}, in {text[:60]!r}")
    return text


def _escape(data: bytes, start: int) -> tuple[Output, int]:
    place = start + 1
    if place >= len(data):
        raise ValueError("the output ends within an escape")
    code = data[place]
    if code in _STRING_KINDS:
        return _string(data, place)
    if code == ord("["):
        return _csi(data, place + 1)
    while place < len(data) and 0x20 <= data[place] < 0x30:
        place += 1
    if place >= len(data) or not 0x30 <= data[place] < 0x7F:
        raise ValueError(f"no escape: {data[start : place + 8]!r}")
    intermediates = data[start + 1 : place].decode("ascii")
    return Escape("ESC", "", intermediates, chr(data[place])), place + 1


def _csi(data: bytes, start: int) -> tuple[Output, int]:
    place = start
    while place < len(data) and 0x30 <= data[place] < 0x40:
        place += 1
    parameters = data[start:place].decode("ascii")
    middle = place
    while place < len(data) and 0x20 <= data[place] < 0x30:
        place += 1
    if place >= len(data) or not 0x40 <= data[place] < 0x7F:
        raise ValueError(f"no CSI: {data[start - 2 : place + 8]!r}")
    prefix = parameters[:1] if parameters[:1] in "<=>?" else ""
    parameters = parameters[len(prefix) :]
    if set(parameters) - set("0123456789;:"):
        raise ValueError(f"no parameters of a CSI: {parameters!r}")
    intermediates = prefix + data[middle:place].decode("ascii")
    return Escape("CSI", parameters, intermediates, chr(data[place])), place + 1


def _string(data: bytes, start: int) -> tuple[Output, int]:
    place = start + 1
    while place < len(data) and 0x20 <= data[place] != 0x7F:
        place += 1
    kind, body = _STRING_KINDS[data[start]], _decoded(data[start + 1 : place])
    if data[place : place + 1] == b"\x07" and kind == "OSC":
        return SequenceString(kind, body, "BEL"), place + 1
    if data[place : place + 2] == b"\x1b\\":
        return SequenceString(kind, body, "ST"), place + 2
    raise ValueError(f"a string without an end: {data[start - 1 : start + 60]!r}")


def _attributes(parameters: str) -> Iterator[str]:
    numbers = iter(parameters.split(";"))
    for number in numbers:
        if number in ("38", "48", "58"):
            # The colour that follows: 5 and an index, or 2 and three parts.
            more = {"5": 1, "2": 3}[next(numbers)]
            for _ in range(more):
                if not 0 <= int(next(numbers)) < 256:
                    raise ValueError(f"no colour: {parameters}")
        yield number or "0"
