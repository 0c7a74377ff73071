"""Who scored a run, and how far each of them is."""

from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.scoring import Rubric
from foundry_tui.ports.storage import ScoreStore
from foundry_tui.services.scoring.pairing import PairSession
from foundry_tui.services.scoring.session import ScoringSession
from foundry_tui.services.scoring.walk import Progress

__all__ = ["Person", "people_of", "progress_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """How far somebody is.

    Attributes:
        answers: With the answers of the run.
        pairs: With the pairs of them; None where no prompt has two answers.
    """

    name: str
    answers: Progress
    pairs: Progress | None

    @property
    def is_between(self) -> bool:
        """Whether something was begun and not ended: to be told who wrote what would bias the rest."""
        begun = [part for part in (self.answers, self.pairs) if part is not None and part.done]
        return any(part.done < part.total for part in begun)


async def people_of(
    store: ScoreStore, run: Run, requests: Sequence[RequestRun], rubric: Rubric
) -> tuple[Person, ...]:
    """Everybody who said anything of an answer of the run, by name.

    Raises:
        BadInput: No answer of the run can be scored.
        StorageProblem: What was said cannot be read.
    """
    names = {one.annotator for one in await store.scores(run.id)}
    names |= {one.annotator for one in await store.marks(run.id)}
    names |= {one.annotator for one in await store.preferences(run.id)}
    return tuple([await progress_of(store, run, requests, rubric, name) for name in sorted(names)])


async def progress_of(
    store: ScoreStore, run: Run, requests: Sequence[RequestRun], rubric: Rubric, name: str
) -> Person:
    """How far that person is; likewise."""
    answers = await ScoringSession.open(store, run, requests, rubric, name)
    try:
        pairs = await PairSession.open(store, run, requests, rubric, name)
    except BadInput:
        return Person(name=name, answers=answers.progress, pairs=None)
    return Person(name=name, answers=answers.progress, pairs=pairs.progress)
