"""The page on which a benchmark is planned: models, prompts, rounds, limits, and how long it may take."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer
from textual.widgets import Input, Label, Static

from foundry_tui.domain.bench import BenchPlan, PlannedPrompt
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.predictions import ModelPrediction
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.storage import RunStore
from foundry_tui.reports.errors import error_words
from foundry_tui.reports.run_summary_words import estimate_words
from foundry_tui.services.bench.estimate import estimated_s
from foundry_tui.tui.screens.bench.draft import (
    FIELDS,
    BenchDraft,
    DraftField,
    DraftProblem,
    Switch,
    next_goodput,
    size_words,
)
from foundry_tui.tui.screens.bench.plan_lists import (
    MODEL_COLUMNS,
    NO_MODELS,
    PROMPT_COLUMNS,
    Marks,
    about_model,
    left_out_words,
    model_rows,
    prompt_rows,
    switch_words,
)
from foundry_tui.tui.screens.bench.prompt_sets import PromptSets
from foundry_tui.tui.screens.bench.race import RacePlan
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.fields import LineField
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.table_parts import cut

__all__ = ["BenchPlanScreen"]

_FIELDS = tuple(field for row in FIELDS for field in row)
_ESTIMATE_AFTER_S = 0.3
"""After the last change: earlier runs are read for it."""


_KEYS = "Space takes or leaves · Tab ↔ · Enter begins · Esc leaves"


class BenchPlanScreen(Overlay[str]):
    """Asks what to measure, and closes with the id of the run that it has begun.

    Args:
        models: Variants that are here.
        prompts: Reads the prompts of the ready set of that name, or of prompts.json for an empty one; blocks.
        sets: Reads the names of the ready sets; blocks.
        draft: What is filled in at first.
        store: Earlier runs, for how long this one may take.
        begin: Begins it; what it raises is shown on the page.
        keep: Takes what was filled in when the page is left.
        predict: Says what is to be expected of models; None where nobody does.
        race: What it is for, if it is for a race.
        targets: Reads which models ``models.json`` has for this, by alias, the first one first; blocks.
    """

    HELP = (
        "Space takes the model or prompt under the cursor, or leaves it; models are asked in the order in "
        "which they were taken. With a share in ‘Until within’ rounds go on until the median latency of each "
        "model is known that well, at most as many as ‘Most rounds’. The limits end a run, which can be "
        "resumed later; above the temperature it only waits until the machine is cooler."
    )
    DEFAULT_CSS = """
    BenchPlanScreen #plan-lists { height: 1fr; min-height: 4; }
    BenchPlanScreen RowTable { width: 1fr; height: 1fr; }
    BenchPlanScreen #plan-prompts { border-left: solid $panel; }
    BenchPlanScreen #plan-about { height: 3; color: $text-muted; }
    BenchPlanScreen #plan-race { height: auto; max-height: 5; color: $text-warning; }
    BenchPlanScreen .plan-row { height: 1; }
    BenchPlanScreen .plan-row Label { color: $text-muted; margin-right: 1; }
    BenchPlanScreen .plan-label-0 { width: 9; }
    BenchPlanScreen .plan-label-1, BenchPlanScreen .plan-label-3 { width: 11; }
    BenchPlanScreen .plan-label-2 { width: 10; }
    BenchPlanScreen .plan-row Input { width: 7; margin: 0 1 0 0; background: $panel; }
    BenchPlanScreen #plan-name { width: 1fr; max-width: 40; margin: 0; }
    BenchPlanScreen .plan-row Input.-wrong { background: $error 40%; }
    BenchPlanScreen #plan-switches { height: auto; }
    BenchPlanScreen .plan-line { height: 1; text-overflow: ellipsis; text-wrap: nowrap; }
    BenchPlanScreen #plan-time { color: $text-muted; }
    BenchPlanScreen #plan-size.-problem { color: $text-error; text-style: bold; }
    BenchPlanScreen #plan-problem { height: auto; max-height: 3; color: $text-error; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "begin", "Begin", priority=True, id="plan.begin_anywhere"),
    ]

    def __init__(
        self,
        *,
        models: Sequence[ModelVariant],
        prompts: Callable[[str], tuple[PlannedPrompt, ...]],
        draft: BenchDraft,
        store: RunStore,
        begin: Callable[[BenchPlan], Awaitable[str]],
        keep: Callable[[BenchDraft], None],
        targets: Callable[[], tuple[str, ...]] = lambda: (),
        sets: Callable[[], tuple[str, ...]] = lambda: (),
        predict: Callable[[Sequence[ModelVariant]], Awaitable[Sequence[ModelPrediction]]] | None = None,
        race: RacePlan | None = None,
    ) -> None:
        super().__init__()
        self._variants = {model.id: model for model in models}
        self._sets = PromptSets(prompts, sets, draft.prompt_set)
        self._first = draft
        self._store = store
        self._begin = begin
        self._keep = keep
        self._read_targets = targets
        self._predict_of = predict
        self._predictions: dict[str, ModelPrediction] = {}
        self._race = race
        # In the order in which they were taken, as they are asked.
        self._models = dict.fromkeys(name for name in draft.models if name in self._variants)
        self._prompts: dict[str, PlannedPrompt] = {}
        self._chosen: dict[str, None] = {}
        self._switches = set(draft.switches)
        self._goodput = draft.goodput
        self._timer: Timer | None = None
        self._estimated: BenchPlan | None = None
        self._is_beginning = False
        left_out = [name for name in draft.models if name not in self._variants]
        self._problem = left_out_words(left_out)

    @property
    def model_table(self) -> RowTable:
        """The models that are here."""
        return self.query_one("#plan-models", RowTable)

    @property
    def prompt_table(self) -> RowTable:
        """The prompts that there are."""
        return self.query_one("#plan-prompts", RowTable)

    def compose(self) -> ComposeResult:
        with Vertical(id="plan-box", classes="full") as box:
            box.border_title = "Plan a benchmark" if self._race is None else self._race.title
            box.border_subtitle = _KEYS
            with Horizontal(id="plan-lists"):
                yield Marks(MODEL_COLUMNS, empty_text=NO_MODELS, id="plan-models")
                yield Marks(PROMPT_COLUMNS, empty_text="Reading prompts.json …", id="plan-prompts")
            yield Static(id="plan-about", markup=False)
            texts = self._first.texts()
            for row in FIELDS:
                with Horizontal(classes="plan-row"):
                    for place, field in enumerate(row):
                        yield Label(field.label, classes=f"plan-label-{place}")
                        line = LineField(
                            texts[field.key],
                            id=f"plan-{field.key}",
                            compact=True,
                            max_length=field.max_length,
                        )
                        yield line
            yield Static(id="plan-switches", markup=False)
            if self._race is not None and self._race.notes:
                yield Static("\n".join(self._race.notes), id="plan-race", markup=False)
            yield Static(id="plan-size", classes="plan-line", markup=False)
            yield Static(id="plan-time", classes="plan-line", markup=False)
            yield Static(id="plan-problem", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """List what there is."""
        self._show_models()
        self._show_switches()
        self._show_size()
        self._say(self._problem)
        self.model_table.focus()
        if self._models:
            self.model_table.move_cursor_to(next(iter(self._models)))
        self._load_prompts()
        self._predict()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer a download only where a race lacks one."""
        return action != "offer" or (self._race is not None and bool(self._race.missing))

    def dismiss(self, result: str | None = None) -> AwaitComplete:
        """Close; what was filled in stands there the next time."""
        if self.is_open and self.is_mounted:
            self._keep(self._draft)
        return super().dismiss(result)

    def on_resize(self) -> None:
        """Names are cut to the new width."""
        self.call_after_refresh(self._show_models)

    def action_mark(self) -> None:
        """Take the row under the cursor, or leave it."""
        for table, taken in self._lists():
            if table.has_focus and (key := table.cursor_key) is not None:
                if key in taken:
                    del taken[key]
                else:
                    taken[key] = None
        self._taken()

    def action_mark_all(self) -> None:
        """Take all of the list that has the focus, or none if all are taken."""
        for table, taken in self._lists():
            if table.has_focus:
                keys = [row.key for row in table.rows]
                has_all = len(taken) == len(keys)
                taken.clear()
                taken.update({} if has_all else dict.fromkeys(keys))
        self._taken()

    @work(exclusive=True, group="targets")
    async def action_targets(self) -> None:
        """Take the models that ``models.json`` has for chats, by their priority."""
        try:
            aliases = await asyncio.to_thread(self._read_targets)
        except FoundryTuiError as error:
            self._say(error_words(error))
            return
        if not aliases:
            self._say("models.json has no model for chats")
            return
        here: dict[str, str] = {}
        for model in self._variants.values():
            here.setdefault(model.alias, model.id)
            here[model.id] = model.id
        self._models = dict.fromkeys(here[alias] for alias in aliases if alias in here)
        self._taken()
        self._say(left_out_words([alias for alias in aliases if alias not in here]))

    def action_next_set(self) -> None:
        """List the prompts of the next ready set, and take all of them."""
        self._first = replace(self._first, prompt_ids=())
        self._load_prompts(goes_on=True)

    def action_switch(self, name: str) -> None:
        """Turn one of the three on or off."""
        self._switches ^= {Switch(name)}
        self._show_switches()
        self._show_size()

    def action_goodput(self) -> None:
        """Judge the answers by the next of the named limits, or by none."""
        self._goodput = next_goodput(self._goodput)
        self._show_switches()
        self._show_size()

    def action_offer(self) -> None:
        """Offer to download the first variant that the race lacks, the next time the next one."""
        if self._race is not None and self._race.missing:
            first, *others = self._race.missing
            self._race.offer(first)
            self._race = replace(self._race, missing=(*others, first))

    def action_begin(self) -> None:
        """Begin the run, or say what is missing."""
        if not self._is_beginning:
            self._try()

    @on(Input.Submitted)
    def _entered(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_begin()

    @on(Input.Changed)
    def _changed(self, message: Input.Changed) -> None:
        message.stop()
        self._show_size()

    @on(RowTable.RowActivated)
    def _double_clicked(self, message: RowTable.RowActivated) -> None:
        message.stop()
        self.action_mark()

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._show_about()

    def on_descendant_focus(self) -> None:
        """What is under the cursor of the list that has the focus is written in full."""
        self._show_about()

    # --- what is done

    @work(group="begin")
    async def _try(self) -> None:
        self._is_beginning = True
        try:
            plan = self._draft.plan()
            self._say("Beginning …")
            self.dismiss(await self._begin(plan))
        except DraftProblem as problem:  # what is wrong is told already
            if problem.field is not None:
                self.query_one(f"#plan-{problem.field}", Input).focus()
        except FoundryTuiError as error:
            self._say(error_words(error))
        finally:
            self._is_beginning = False

    @work(exclusive=True, group="prompts")
    async def _load_prompts(self, *, goes_on: bool = False) -> None:
        found: tuple[PlannedPrompt, ...] = ()
        empty = "There is no prompt in it."
        try:
            found = await asyncio.to_thread(self._sets.read, goes_on=goes_on)
        except FoundryTuiError as error:
            empty = error_words(error)
        self.query_one("#plan-box").border_subtitle = f"{self._sets.words} · {_KEYS}"
        self._prompts = {prompt.id: prompt for prompt in found}
        wanted = [name for name in self._first.prompt_ids if name in self._prompts]
        self._chosen = dict.fromkeys(wanted or self._prompts)
        self.prompt_table.empty_text = empty
        self._show_prompts()
        self._show_size()

    @work(group="predict")
    async def _predict(self) -> None:
        """Say what is to be expected of each model, once: by earlier runs, which are kept meanwhile."""
        if self._predict_of is None or not self._variants:
            return
        models = list(self._variants.values())
        try:
            found = await self._predict_of(models)
        except FoundryTuiError:
            return  # whatever is wrong with the disk is told when the run begins
        self._predictions = {model.id: one for model, one in zip(models, found, strict=True)}
        self._show_models()
        self._show_about()

    @work(exclusive=True, group="estimate")
    async def _estimate(self) -> None:
        """Learn from earlier runs how long it may take."""
        try:
            plan = self._draft.plan()
            if plan != self._estimated:
                found = await estimated_s(self._store, plan, [self._variants[name] for name in plan.models])
                self._estimated = plan
                self._say_time(f"Takes {estimate_words(found)}")
        except DraftProblem:
            return  # which is told where the size stands
        except FoundryTuiError:
            # Whatever is wrong with the disk is told when the run begins.
            self._say_time("How long it takes is unknown")

    def _say_time(self, words: str) -> None:
        self.query_one("#plan-time", Static).update(words, layout=False)

    # --- what is shown

    @property
    def _draft(self) -> BenchDraft:
        texts = {field.key: self._field(field).value for field in _FIELDS}
        return BenchDraft(
            models=tuple(self._models),
            prompts=tuple(prompt for key, prompt in self._prompts.items() if key in self._chosen),
            prompt_ids=tuple(self._chosen) if self._prompts else self._first.prompt_ids,
            prompt_set=self._sets.name,
            fields=tuple(texts.items()),
            switches=frozenset(self._switches),
            goodput=self._goodput,
        )

    def _lists(self) -> tuple[tuple[RowTable, dict[str, None]], ...]:
        return (self.model_table, self._models), (self.prompt_table, self._chosen)

    def _taken(self) -> None:
        """Show what is taken by now."""
        self._say("")
        self._show_models()
        self._show_prompts()
        self._show_size()

    def _field(self, field: DraftField) -> Input:
        return self.query_one(f"#plan-{field.key}", Input)

    def _show_models(self) -> None:
        if not self.is_open:
            return
        table = self.model_table
        width = table.scrollable_content_region.width
        models = list(self._variants.values())
        table.set_rows(model_rows(models, self._models, self._predictions, width=width))

    def _show_prompts(self) -> None:
        self.prompt_table.set_rows(prompt_rows(self._prompts.values(), self._chosen))

    def _show_about(self) -> None:
        words, width = "", max(20, self.size.width - 4)
        if self.model_table.has_focus and (key := self.model_table.cursor_key) is not None:
            at_once = self.query_one("#plan-concurrency", Input).value
            words = about_model(key, self._predictions.get(key), at_once=at_once, cells=width)
        elif self.prompt_table.has_focus and (key := self.prompt_table.cursor_key) is not None:
            words = cut(clean_line(self._prompts[key].text, 400), width)
        else:
            words = next((field.about for field in _FIELDS if self._field(field).has_focus), "")
        self.query_one("#plan-about", Static).update(words, layout=False)

    def _show_size(self) -> None:
        if not self.is_open:
            return
        wrong: str | None = None
        try:
            words, is_problem = size_words(self._draft.plan()), False
        except DraftProblem as problem:
            words, is_problem, wrong = str(problem), True, problem.field
        for field in _FIELDS:
            self._field(field).set_class(field.key == wrong, "-wrong")
        line = self.query_one("#plan-size", Static)
        line.set_class(is_problem, "-problem")
        line.update(words, layout=False)
        if self._timer is not None:
            self._timer.stop()
        if is_problem:
            self._estimated = None
            self._say_time("")
        else:
            self._timer = self.set_timer(_ESTIMATE_AFTER_S, self._estimate)

    def _show_switches(self) -> None:
        """Each with its key; a click does the same."""
        words = switch_words(self._switches, self._goodput)
        self.query_one("#plan-switches", Static).update(words)

    def _say(self, words: str) -> None:
        line = self.query_one("#plan-problem", Static)
        line.display = bool(words)
        line.update(words)
