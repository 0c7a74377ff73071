"""Scoring answers one at a time: what one person gave each of them."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.scoring import AnswerMark, AnswerNote, MarkKind, Rubric, Said, Score, SheetItem
from foundry_tui.ports.storage import ScoreStore
from foundry_tui.services.scoring.sheet import sheet_items
from foundry_tui.services.scoring.walk import Walk

__all__ = ["AnswerStanding", "ScoringSession", "nothing_to_score", "seed_of"]

_SEED_BYTES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStanding:
    """What one person said of one answer at one occasion.

    Attributes:
        values: From 1 to 5, by the id of the criterion.
        ticked: The aspects it has.
    """

    values: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    ticked: frozenset[str] = frozenset()
    is_flagged: bool = False
    is_skipped: bool = False
    note: str = ""


def seed_of(annotator: str) -> int:
    """Everybody has an order of his own, and the same one each time."""
    return int.from_bytes(hashlib.sha256(annotator.encode(errors="replace")).digest()[:_SEED_BYTES])


def nothing_to_score(run: Run) -> BadInput:
    """What is said of a run of which no answer can be judged."""
    return BadInput(
        f"no answer of run {run.id} can be scored: none ended well with text",
        remedy="look at its requests, and measure again what failed",
    )


class ScoringSession(Walk[SheetItem, AnswerStanding]):
    """All answers of a run in one person's order, of which some come twice.

    Args:
        store: Where each step is kept.
        run: Of which the answers are.
        rubric: What is judged by; scores under another version of it stay as they are.
        annotator: Who judges.
        items: In the order of that person.
        standings: What is kept of each.
        unix_ms: The time of day.
        clock_s: A monotonic clock.
    """

    def __init__(
        self,
        store: ScoreStore,
        run: Run,
        rubric: Rubric,
        annotator: str,
        items: Sequence[SheetItem],
        standings: Sequence[AnswerStanding],
        *,
        unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._criteria = frozenset(one.id for one in rubric.criteria)
        super().__init__(items, standings, clock_s=clock_s)
        self._store = store
        self.run = run
        self.rubric = rubric
        self.annotator = annotator
        self._unix_ms = unix_ms

    @classmethod
    async def open(
        cls,
        store: ScoreStore,
        run: Run,
        requests: Sequence[RequestRun],
        rubric: Rubric,
        annotator: str,
        *,
        unix_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> "ScoringSession":
        """Go on where this person stopped.

        Raises:
            BadInput: No answer of the run can be scored.
            StorageProblem: What was said before cannot be read.
        """
        items = sheet_items(run, requests, seed=seed_of(annotator))
        if not items:
            raise nothing_to_score(run)
        kept = _Kept(
            scores=await store.scores(run.id),
            notes=await store.notes(run.id),
            marks=await store.marks(run.id),
            annotator=annotator,
            rubric_sha256=rubric.sha256,
        )
        standings = [kept.of(item) for item in items]
        return cls(store, run, rubric, annotator, items, standings, unix_ms=unix_ms, clock_s=clock_s)

    @property
    def aspects(self) -> tuple[str, ...]:
        """What a good answer to this prompt has."""
        for prompt in self.run.plan.prompts:
            if prompt.id == self.item.prompt_id:
                return prompt.aspects
        return ()

    def is_done(self, standing: AnswerStanding) -> bool:
        """Skipped, or scored by every criterion."""
        return standing.is_skipped or standing.values.keys() >= self._criteria

    async def score(self, criterion: str, value: int) -> None:
        """Give the answer that; it is skipped no more.

        Raises:
            FoundryTuiError: It could not be kept, so it was not given; likewise below.
        """
        values = MappingProxyType({**self.standing.values, criterion: value})
        await self.say(replace(self.standing, values=values, is_skipped=False))

    async def tick(self, aspect: str) -> None:
        """Say that the answer has that aspect, or that it has not."""
        await self.say(replace(self.standing, ticked=self.standing.ticked ^ {aspect}))

    async def flag(self) -> None:
        """Mark the answer to talk about it, or mark it no more."""
        await self.say(replace(self.standing, is_flagged=not self.standing.is_flagged))

    async def skip(self) -> None:
        """Ask for the answer no more; what it got stays."""
        await self.say(replace(self.standing, is_skipped=True))

    async def note(self, text: str) -> None:
        """Note that on the answer; nothing takes the note away."""
        await self.say(replace(self.standing, note=text))

    async def _keep(self, item: SheetItem, before: AnswerStanding, after: AnswerStanding) -> None:
        had, has = self._said(item, before), self._said(item, after)
        await self._store.keep(
            self.rubric,
            Said(
                scores=tuple(one for one in has.scores if before.values.get(one.criterion) != one.value),
                notes=has.notes if before.note != after.note else (),
                marks=tuple(one for one in has.marks if _tick(one) not in set(map(_tick, had.marks))),
            ),
            gone=Said(
                scores=tuple(one for one in had.scores if one.criterion not in after.values),
                notes=had.notes if not has.notes else (),
                marks=tuple(one for one in had.marks if _tick(one) not in set(map(_tick, has.marks))),
            ),
        )

    def _said(self, item: SheetItem, standing: AnswerStanding) -> Said:
        return Said(
            scores=self._scores(item, standing),
            notes=self._notes(item, standing),
            marks=self._marks(item, standing),
        )

    def _scores(self, item: SheetItem, standing: AnswerStanding) -> tuple[Score, ...]:
        return tuple(
            Score(
                run_id=self.run.id,
                number=item.number,
                criterion=criterion,
                annotator=self.annotator,
                occasion=item.occasion,
                value=value,
                rubric_sha256=self.rubric.sha256,
                at_unix_ms=self._unix_ms(),
            )
            for criterion, value in standing.values.items()
        )

    def _marks(self, item: SheetItem, standing: AnswerStanding) -> tuple[AnswerMark, ...]:
        ticks = [(MarkKind.ASPECT, aspect) for aspect in sorted(standing.ticked)]
        ticks += [(MarkKind.FLAG, "")] * standing.is_flagged + [(MarkKind.SKIP, "")] * standing.is_skipped
        return tuple(
            AnswerMark(
                run_id=self.run.id,
                number=item.number,
                annotator=self.annotator,
                occasion=item.occasion,
                kind=kind,
                aspect=aspect,
                at_unix_ms=self._unix_ms(),
            )
            for kind, aspect in ticks
        )

    def _notes(self, item: SheetItem, standing: AnswerStanding) -> tuple[AnswerNote, ...]:
        """One for both occasions: whoever reads it later reads all that was noted on the answer."""
        of_answer = {
            other.occasion: (standing if other is item else self._standings[place]).note
            for place, other in enumerate(self.items)
            if other.number == item.number
        }
        text = "\n".join(of_answer[occasion] for occasion in sorted(of_answer) if of_answer[occasion])
        if not text:
            return ()
        return (AnswerNote(run_id=self.run.id, number=item.number, annotator=self.annotator, text=text),)


def _tick(mark: AnswerMark) -> tuple[MarkKind, str]:
    return (mark.kind, mark.aspect)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What is kept of a run, of which one person's part is taken."""

    scores: Sequence[Score]
    notes: Sequence[AnswerNote]
    marks: Sequence[AnswerMark]
    annotator: str
    rubric_sha256: str

    def of(self, item: SheetItem) -> AnswerStanding:
        own = (self.annotator, item.number, item.occasion)
        marks = [one for one in self.marks if (one.annotator, one.number, one.occasion) == own]
        kinds = {one.kind for one in marks}
        return AnswerStanding(
            values=MappingProxyType(
                {
                    one.criterion: one.value
                    for one in self.scores
                    if (one.annotator, one.number, one.occasion) == own
                    and one.rubric_sha256 == self.rubric_sha256
                }
            ),
            ticked=frozenset(one.aspect for one in marks if one.kind is MarkKind.ASPECT),
            is_flagged=MarkKind.FLAG in kinds,
            is_skipped=MarkKind.SKIP in kinds,
            note=self._note(item),
        )

    def _note(self, item: SheetItem) -> str:
        """A repeat shows none: it would tell that the answer came before."""
        if item.occasion != 1:
            return ""
        own = (one.text for one in self.notes if (one.annotator, one.number) == (self.annotator, item.number))
        return next(own, "")
