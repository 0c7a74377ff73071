"""Two to four answers to one question, judged where they stand."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.scoring import Rubric
from foundry_tui.ports.storage import ScoreStore
from foundry_tui.services.bench.beside import Answer, Doing
from foundry_tui.services.bench.service import Benchmarks
from foundry_tui.services.scoring.spot import SpotSession
from foundry_tui.tui.notices import complain, tell
from foundry_tui.tui.screens.beside.ask import Asked, BesideAskScreen
from foundry_tui.tui.screens.beside.board import BesideBoard, Chosen
from foundry_tui.tui.screens.beside.words import LETTERS, score_words
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.screens.scoring.keys import DIGITS, PREFERENCES, RUBRIC, UNDO
from foundry_tui.tui.screens.scoring.pairs import SAID
from foundry_tui.tui.screens.scoring.rubric import RubricScreen
from foundry_tui.tui.screens.tagging import LineScreen
from foundry_tui.tui.widgets.score_rows import CriterionRow

__all__ = ["BesideScreen", "Judges"]

_PAIR = 2
_EARLY = "Not all is judged yet.\nWho knows which model wrote what judges the rest with it in mind."
_ASK_NAME = "Scores are kept under it, apart from those of others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judges:
    """Who judges, by what, and where it is kept.

    Attributes:
        rubric: Reads it anew, so not on the event loop; raises ``BadInput``.
        annotator: Who scored last; "" where nobody did.
        keep: Told the name that is judged under.
    """

    store: ScoreStore
    rubric: Callable[[], Rubric]
    annotator: Callable[[], str]
    keep: Callable[[str], None]


class BesideScreen(BesideBoard):
    """The answers, their scores, and at the end who wrote what.

    It closes with an answer only where one goes on talking from it.

    Args:
        bench: Runs it.
        asked: The question, and its run.
        judges: For judging on the spot.
        ask: Makes the page on which the next question is asked.
    """

    HELP = (
        "Tab goes from answer to answer. When all have come, digits score the marked criterion of the answer "
        "in focus, c marks the next one; of two answers a, b and = say which one is better. Every key is "
        "kept at once, in the record of the run; u takes the last one back. Enter tells who wrote what."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        *DIGITS,
        *PREFERENCES,
        UNDO,
        Binding("enter", "tell", "Who wrote what", key_display="⏎", id="beside.tell"),
        Binding("n", "new", "New question", id="beside.new"),
        Binding("k", "go_on", "Keep talking", id="beside.go_on"),
        Binding("c", "criterion", "Criterion", id="beside.criterion"),
        RUBRIC,
    ]
    DEFAULT_CSS = """
    BesideScreen #beside-criteria { height: auto; display: none; }
    BesideScreen.-judging #beside-criteria { display: block; }
    BesideScreen #beside-line { height: 1; color: $text-muted; text-overflow: ellipsis; text-wrap: nowrap; }
    BesideScreen.-complete #beside-line { color: $text-success; text-style: bold; }
    """

    def __init__(
        self, bench: Benchmarks, asked: Asked, *, judges: Judges, ask: Callable[[], BesideAskScreen]
    ) -> None:
        super().__init__(bench, asked)
        self._judges = judges
        self._ask = ask
        self._one_at_a_time = asyncio.Lock()
        self._unsaid = 0
        self._rubric: Rubric | None = None
        self._offered: tuple[bool, ...] = ()

    def take_up(self, asked: Asked) -> None:
        super().take_up(asked)
        self._spot: SpotSession | None = None
        self._criterion = 0

    def compose_below(self) -> ComposeResult:
        yield Vertical(id="beside-criteria")
        yield Static(id="beside-line", markup=False)

    async def on_mount(self) -> None:
        """Learn what is judged by, while the answers come."""
        self._read_rubric()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what can be done now."""
        match action:
            case "give" | "criterion" | "undo":
                return self._may_judge
            case "prefer":
                return self._may_judge and len(self._scorable) == _PAIR
            case "rubric":
                return self._rubric is not None
            case "tell":
                return self.is_blind and not self.is_answering
            case "go_on" | "new":
                return not self.is_answering
            case _:
                return True

    def escape(self) -> bool:
        """Let what was said be kept before it is left."""
        if self.is_judging:
            self.call_later(self.app.run_action, "escape")
            return True
        return super().escape()

    @property
    def is_judging(self) -> bool:
        """Whether something that was said is not kept yet."""
        return self._unsaid > 0

    # --- what can be done

    def action_criterion(self) -> None:
        """Mark the next criterion."""
        if self._rubric is not None:
            self._criterion = (self._criterion + 1) % len(self._rubric.criteria)
            self.redraw()

    def action_give(self, value: int) -> None:
        """Score the marked criterion of the answer in focus."""
        self._say(partial(self._give, value, None))

    def action_prefer(self, which: str) -> None:
        """Say which of two answers is better."""
        self._say(lambda spot: spot.prefer(which))

    def action_undo(self) -> None:
        """Take the last key back."""
        if self._spot is None:
            tell(self, "nothing was said yet")
        else:
            self._say(self._undo)

    def action_rubric(self) -> None:
        """Show what each score means."""
        if self._rubric is not None:
            self.app.push_screen(RubricScreen(self._rubric))

    @work(exclusive=True, group="ask")
    async def action_tell(self) -> None:
        """Show who wrote what."""
        await self._may_tell()

    @work(exclusive=True, group="ask")
    async def action_go_on(self) -> None:
        """Go on talking with the model that wrote the answer in focus."""
        request = self.answers[self.at].request
        if request is None or not request.trace.text.strip():
            tell(self, "there is no answer to go on from")
        elif await self._may_tell():
            self.dismiss(Chosen(state=self.state, request=request))

    @work(exclusive=True, group="ask")
    async def action_new(self) -> None:
        """Ask another question: another run."""
        asked = await self.app.push_screen_wait(self._ask())
        if asked is not None:
            self.take_up(asked)
            await self.furnish()

    async def _may_tell(self) -> bool:
        """Name the models, after a question where something is still to be judged; whether they are named."""
        if self.is_told:
            return True
        is_done = not self._scorable or (self._spot is not None and self._spot.is_complete)
        if not is_done and not await self.app.push_screen_wait(ConfirmScreen(_EARLY, "Show all the same")):
            return False
        self.is_told = True
        self.redraw()
        return True

    # --- judging

    @property
    def _scorable(self) -> tuple[int, ...]:
        """The requests whose answers can be judged, from left to right."""
        return tuple(
            one.request.number
            for one in self.answers
            if one.doing is Doing.DONE and one.request is not None and one.request.trace.text.strip()
        )

    @property
    def _may_judge(self) -> bool:
        """Whether all is there, and nobody was named that must not be."""
        is_fair = self.is_blind or not self.asked.question.is_blind
        return not self.is_answering and is_fair and self._rubric is not None and bool(self._scorable)

    @property
    def _number(self) -> int | None:
        """The request whose answer has the focus."""
        return _number_of(self.answers[self.at])

    def _say(self, say: Callable[[SpotSession], Awaitable[object]]) -> None:
        self._unsaid += 1
        self._judge(say)

    @work(group="judge")
    async def _judge(self, say: Callable[[SpotSession], Awaitable[object]]) -> None:
        # One after the other, as the keys were pressed: who scores is asked for by the first of them.
        try:
            async with self._one_at_a_time:
                if self._may_judge and (spot := await self._session()) is not None:
                    await say(spot)
        except FoundryTuiError as error:
            complain(self, error)
        finally:
            self._unsaid -= 1
        self.redraw()

    async def _session(self) -> SpotSession | None:
        if self._spot is None and self._rubric is not None:
            judges, state = self._judges, self.state
            name = judges.annotator()
            if not name:
                given = await self.app.push_screen_wait(LineScreen("Your name", _ASK_NAME))
                name = " ".join((given or "").split())
            if not name:
                return None
            judges.keep(name)
            self._spot = await SpotSession.open(
                judges.store, state.run, tuple(state.requests), self._rubric, name, shown=self._scorable
            )
        return self._spot

    async def _give(self, value: int, criterion: str | None, spot: SpotSession) -> None:
        """Score, and mark the next criterion without a score; after the last one the next answer comes."""
        number = self._number
        if number is None or number not in self._scorable:
            tell(self, "this answer cannot be scored: it did not end well")
            return
        ids = [one.id for one in spot.rubric.criteria]
        at = self._criterion if criterion is None else ids.index(criterion)
        had_all = spot.has_all(number)
        await spot.score(number, ids[at], value)
        if not had_all and spot.has_all(number):
            self._go_to_next_open(spot)
            return
        values = spot.values(number)
        after = [*range(at + 1, len(ids)), *range(at)]
        self._criterion = next((place for place in after if ids[place] not in values), at)

    async def _undo(self, spot: SpotSession) -> None:
        number = await spot.undo()
        if number is None:
            tell(self, "nothing was said since this was opened")
        else:
            self.go_to([_number_of(answer) for answer in self.answers].index(number))

    def _go_to_next_open(self, spot: SpotSession) -> None:
        answers = self.answers
        for step in range(1, len(answers)):
            place = (self.at + step) % len(answers)
            number = _number_of(answers[place])
            if number is not None and number in self._scorable and not spot.has_all(number):
                self.go_to(place)
                return

    @on(CriterionRow.Given)
    def _clicked(self, message: CriterionRow.Given) -> None:
        message.stop()
        if self._may_judge:
            self._say(partial(self._give, message.value, message.criterion))

    @work(exclusive=True, group="rubric")
    async def _read_rubric(self) -> None:
        try:
            self._rubric = await asyncio.to_thread(self._judges.rubric)
        except FoundryTuiError as error:
            complain(self, error)
            return
        rows = self.query_one("#beside-criteria")
        await rows.mount_all(CriterionRow(criterion) for criterion in self._rubric.criteria)
        self.redraw()

    # --- how it looks

    def go_to(self, place: int) -> None:
        """Keys are about that answer from now on; its first criterion without a score is marked."""
        self.at = place
        number, ids = self._number, [] if self._rubric is None else [one.id for one in self._rubric.criteria]
        values = {} if self._spot is None or number is None else self._spot.values(number)
        self._criterion = next((at for at, one in enumerate(ids) if one not in values), 0)
        super().go_to(place)

    def scores_of(self, answer: Answer) -> str:
        number = _number_of(answer)
        if self._spot is None or number is None:
            return ""
        return score_words(self._spot.values(number), self._spot.rubric)

    def is_preferred(self, answer: Answer) -> bool:
        side = None if self._spot is None else self._spot.preferred
        sides = self._scorable
        return side in ("left", "right") and _number_of(answer) == sides[0 if side == "left" else -1]

    def show_below(self) -> None:
        """The criteria once all has come, and in a line what to do."""
        offered = (self.is_answering, self.is_told, self._may_judge)
        if offered != self._offered:
            self._offered = offered
            self.set_class(self._may_judge, "-judging")
            self.refresh_bindings()
        spot, number = self._spot, self._number
        values = {} if spot is None or number is None else spot.values(number)
        for place, row in enumerate(self.query(CriterionRow)):
            row.show(values.get(row.criterion.id), is_current=place == self._criterion)
        self.set_class(spot is not None and spot.is_complete, "-complete")
        self.query_one("#beside-line", Static).update(self._line, layout=False)

    @property
    def _line(self) -> str:
        answers, spot = self.answers, self._spot
        if self.is_answering:
            done = sum(one.doing in (Doing.DONE, Doing.FAILED) for one in answers)
            return f"{done} of {len(answers)} answered, one after the other"
        if not self._scorable:
            return "there is no answer to judge · n asks another question"
        if self.is_told and self.asked.question.is_blind:
            return "the models are named, so nothing is scored here any more · n asks another question"
        parts = [f"answer {LETTERS[self.at]}"]
        if spot is not None and spot.preferred is not None:
            parts.append(SAID[spot.preferred])
        if spot is not None and spot.is_complete:
            parts.append("all is judged" if self.is_told else "all is judged: Enter tells who wrote what")
        else:
            parts.append("digits score it")
            if len(self._scorable) == _PAIR:
                parts.append("a b = compare the two")
        return " · ".join(parts)


def _number_of(answer: Answer) -> int | None:
    return None if answer.request is None else answer.request.number
