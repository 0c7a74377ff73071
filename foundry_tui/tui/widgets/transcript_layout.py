"""The rows of a transcript: where each part begins, which parts are to be drawn, where the reader is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.segment import Segment

from foundry_tui.tui.widgets.transcript_folds import Band, BandKind, bands_of, hidden_sections
from foundry_tui.tui.widgets.transcript_messages import Message, Part
from foundry_tui.tui.widgets.transcript_painter import Painter
from foundry_tui.tui.widgets.transcript_sums import Sums

__all__ = ["Layout", "Place", "Spot"]

# Rows that are kept as segments.  More can be drawn again when somebody looks: 500 long answers take some
# thirty times as many, and 20 MB.
_ROWS_KEPT = 1_500


class Spot(NamedTuple):
    """What stands on a row.

    Attributes:
        part: None where the row is no part's.
        row: Within the rows of the part; below 0 in the gap above them.
    """

    message: Message
    band: Band
    part: Part | None
    row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A row, named by what stands on it, so that it is found again wherever it moves.

    Attributes:
        part: None where the row is no part's.
        row: Within the part, below 0 in its gap; without a part within the message.
        edition: The drawing in which ``row`` was counted; None if the part was not drawn.
        ink: Characters of the part above the row, spaces left out: finds it in another drawing.
    """

    message: Message
    part: Part | None
    row: int
    edition: int | None = None
    ink: int = 0


class Layout:
    """All messages from top to bottom, and the row on which each begins.

    Whatever one call costs depends on what changed and on what is in view, and not on the messages' number.

    Attributes:
        stale: Parts that must be drawn again before their rows are right, oldest first.
        drawn: Parts whose text was drawn anew since somebody emptied this.
        unlit: Parts that were drawn to be seen, and whose code lacks its colours, likewise.
    """

    def __init__(self, painter: Painter) -> None:
        self.messages: list[Message] = []
        self.stale: dict[Part, None] = {}
        self.drawn: list[Part] = []
        self.unlit: dict[Part, None] = {}
        self._painter = painter
        self._heights = Sums()
        self._bands: list[tuple[Band, ...]] = []
        self._kept: dict[Part, int] = {}  # rows of what has them, least recently shown first
        self._rows_kept = 0

    @property
    def height(self) -> int:
        """Rows of all messages."""
        return self._heights.total

    def add(self, message: Message) -> None:
        """Put ``message`` at the end."""
        self.messages.append(message)
        self._heights.append(0)
        self._bands.append(())
        self.measure(message)

    def truncate(self, count: int) -> list[Part]:
        """Keep the first ``count`` messages; return the parts of the others."""
        gone = [part for message in self.messages[count:] for part in message.parts()]
        for part in gone:
            self._drop(part)
            self.stale.pop(part, None)
            self.unlit.pop(part, None)
        self.drawn.clear()
        del self.messages[count:], self._bands[count:]
        self._heights.truncate(count)
        return gone

    def measure(self, message: Message) -> None:
        """Take in what changed in ``message``, its folds too."""
        for section in message.sections:
            for part in section.changed:
                self._measure_part(part)
                self.stale[part] = None
            section.changed.clear()
        bands = self._bands[message.index] = bands_of(message)
        self._heights.set(message.index, sum([band.height for band in bands]))

    def measure_all(self) -> None:
        """Begin anew with all parts, for the painter draws for another width or in other styles."""
        self.stale.clear()
        width = self._painter.width
        for message in self.messages:
            for section in message.sections:
                section.changed.clear()
                section.heights.reset([part.height(width) for part in section.parts])
                self.stale.update(dict.fromkeys(section.parts))
            self._bands[message.index] = bands_of(message)
        self._heights.reset([sum([band.height for band in bands]) for bands in self._bands])

    def draw(self, part: Part) -> None:
        """Draw ``part`` and keep its rows."""
        is_anew = part.drawn_for != self._painter.edition
        self._drop(part)
        self._painter.draw(part)
        if is_anew:
            self.stale.pop(part, None)
            self.drawn.append(part)
            self._measure_part(part)
            self.measure(part.section.message)
        if part.is_final and part.drawing is not None and part.drawing.unlit:
            self.unlit[part] = None
        self._touch(part)

    def draw_unseen(self, part: Part) -> None:
        """Draw ``part`` for its height and its text."""
        self.draw(part)
        self._drop(part)
        self.unlit.pop(part, None)

    def draw_within(self, top: int, height: int) -> bool:
        """Draw what is missing in the ``height`` rows from ``top`` on; whether any part was drawn anew."""
        row = max(0, top)
        has_drawn = False
        while row < min(top + height, self.height):
            spot = self.spot(row)
            part = spot.part
            if part is None:
                row += 1
                continue
            is_stale = part.drawn_for != self._painter.edition
            if is_stale or part.drawing is None or part.drawing.rows is None:
                has_drawn = has_drawn or is_stale
                self.draw(part)
            else:
                self._touch(part)
            assert part.drawing is not None
            row += max(1, part.drawing.height - spot.row)
        return has_drawn

    def spot(self, row: int) -> Spot:
        """What stands on ``row``, which is at least 0 and below the height."""
        index = self._heights.find(row)
        inner = row - self._heights.before(index)
        message = self.messages[index]
        for band in self._bands[index]:
            if inner < band.height:
                break
            inner -= band.height
        else:
            raise ValueError("no such row")
        if band.section is None:
            return Spot(message, band, None, inner)
        heights = band.section.heights
        number = heights.find(inner)
        part = band.section.parts[number]
        return Spot(message, band, part, inner - heights.before(number) - part.gap)

    def segments(self, spot: Spot) -> Sequence[Segment]:
        """What is drawn at ``spot``, which belongs to a part; empty for a gap."""
        part = spot.part
        if part is None or part.drawing is None or spot.row < 0:
            return ()
        if part.drawing.rows is None:
            if part.drawn_for != self._painter.edition:
                return ()  # it is of another width, and about to be drawn
            self.draw(part)
        rows = part.drawing.rows or []
        return rows[spot.row] if spot.row < len(rows) else ()

    def start_of(self, message: Message) -> int:
        """The row of its heading."""
        bands = self._bands[message.index]
        gap = bands[0].height if bands and bands[0].kind is BandKind.ABOVE else 0
        return self._heights.before(message.index) + gap

    def row_of(self, part: Part, row: int = 0) -> int | None:
        """Where a row of ``part`` stands; None where it is hidden by a fold."""
        at = self._heights.before(part.section.message.index)
        for band in self._bands[part.section.message.index]:
            if band.section is part.section:
                inner = part.section.heights.before(part.index) + part.gap + row
                return at + inner if inner < band.height else None
            at += band.height
        return None

    def place_at(self, row: int) -> Place | None:
        """The place of ``row``; None if there is none."""
        if not 0 <= row < self.height:
            return None
        spot = self.spot(row)
        part = spot.part
        if part is None:
            return Place(message=spot.message, part=None, row=row - self._heights.before(spot.message.index))
        ink = 0
        if part.drawing is not None:
            ink = sum(_ink(text) for text in part.drawing.row_texts()[: max(0, spot.row)])
        return Place(message=spot.message, part=part, row=spot.row, edition=part.drawn_for, ink=ink)

    def row_at(self, place: Place) -> int | None:
        """The row of ``place`` now; None if its message is gone."""
        message = place.message
        if not self.holds(message):
            return None
        start = self._heights.before(message.index)
        last = start + max(0, self._heights[message.index] - 1)
        part = place.part
        if part is None:
            return min(start + place.row, last)
        inner = place.row
        if inner > 0 and part.drawn_for != place.edition and part.drawing is not None:
            inner = 0
            ink = 0
            for n, text in enumerate(part.drawing.row_texts()):
                ink += _ink(text)
                if ink > place.ink:
                    inner = n
                    break
        row = self.row_of(part, inner)
        return min(self._fold_row(message, part) if row is None else row, last)

    def holds(self, message: Message) -> bool:
        """Whether ``message`` is still there."""
        return message.index < len(self.messages) and self.messages[message.index] is message

    def is_stale_within(self, row: int, height: int) -> bool:
        """Whether the ``height`` rows from ``row`` on show a part that must be drawn again."""
        end = min(row + height, self.height)
        while row < end:
            spot = self.spot(row)
            if spot.part is None:
                row += 1
                continue
            if spot.part.drawn_for != self._painter.edition:
                return True
            assert spot.part.drawing is not None
            row += max(1, spot.part.drawing.height - spot.row)
        return False

    def hidden_texts(self, spot: Spot) -> list[str]:
        """The rows of the answer that ``spot`` stands in place of; none where it hides reasoning."""
        if spot.band.kind is not BandKind.FOLD:
            return []
        section, shown = list(hidden_sections(spot.message, BandKind.FOLD))[-1]
        return [text for part in section.parts for text in self._part_texts(part)][shown:]

    def text(self, spot: Spot) -> str:
        """The text at ``spot``, without the white space at its end; "" where no part stands."""
        if spot.part is None or spot.part.drawing is None or spot.row < 0:
            return ""
        rows = spot.part.drawing.row_texts()
        return rows[spot.row] if spot.row < len(rows) else ""

    def _part_texts(self, part: Part) -> list[str]:
        rows = [] if part.drawing is None else part.drawing.row_texts()
        return [""] * part.gap + rows if rows else []

    def _fold_row(self, message: Message, part: Part) -> int:
        """The row that stands in place of ``part``, which is hidden."""
        at = self._heights.before(message.index)
        for band in self._bands[message.index]:
            if band.hidden and any(s is part.section for s, _ in hidden_sections(message, band.kind)):
                break
            at += band.height
        return at

    def _measure_part(self, part: Part) -> None:
        heights = part.section.heights
        height = part.height(self._painter.width)
        if part.index < len(heights):
            heights.set(part.index, height)
        else:
            heights.append(height)

    def _touch(self, part: Part) -> None:
        """Keep the rows of ``part`` rather than those of any other."""
        self._rows_kept -= self._kept.pop(part, 0)
        if part.drawing is None:
            return
        self._kept[part] = part.drawing.height
        self._rows_kept += part.drawing.height
        while self._rows_kept > _ROWS_KEPT and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))

    def _drop(self, part: Part) -> None:
        self._rows_kept -= self._kept.pop(part, 0)
        if part.drawing is not None:
            part.drawing.rows = None


def _ink(text: str) -> int:
    return len(text) - text.count(" ")
