"""The page on which a benchmark is planned: models, prompts, rounds, and how long it may take."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label, Static

from foundry_tui.domain.bench import BenchPlan, PlannedPrompt
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line
from foundry_tui.ports.storage import RunStore
from foundry_tui.reports.errors import error_words
from foundry_tui.tui.screens.bench_draft import FIELDS, BenchDraft, Spans, Switch, size_words, spans_of
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.fields import LineField
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.table_parts import Column, Row, cut, cut_within, place

__all__ = ["BenchPlanScreen"]

_MODELS = (
    Column(key="mark", label="", width=1, priority=2),
    Column(key="name", label="Model", width=20, weight=1, priority=3),
    Column(key="device", label="Device", width=6, priority=1),
)
_PROMPTS = (
    Column(key="mark", label="", width=1, priority=2),
    Column(key="id", label="Prompt", width=12, priority=3),
    Column(key="text", label="Text", width=8, weight=1, priority=1),
)
_MARK = "✓"
_RUNS_READ = 3
_RUNS_LISTED = 20
_NO_MODELS = "No model is here yet.\n\nIn the catalog, d downloads one."


class _Marks(RowTable):
    """A list of which some are taken; Enter begins."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "screen.mark", "Take/leave", key_display="␣", id="plan.mark"),
        Binding("b,enter", "screen.begin", "Begin", key_display="b", id="plan.begin"),
        *(
            Binding(switch.key, f"screen.switch('{switch}')", switch.label, show=False, id=f"plan.{switch}")
            for switch in Switch
        ),
    ]


class BenchPlanScreen(Overlay[str]):
    """Asks what to measure, and closes with the id of the run that it has begun.

    Args:
        models: Variants that are here.
        prompts: Reads the prompts that there are; blocks.
        draft: What is filled in at first.
        store: Earlier runs, for how long this one may take.
        begin: Begins it; what it raises is shown on the page.
        keep: Takes what was filled in when the page is left.
    """

    DEFAULT_CSS = """
    BenchPlanScreen #plan-lists { height: 1fr; min-height: 4; }
    BenchPlanScreen RowTable { width: 1fr; height: 1fr; }
    BenchPlanScreen #plan-prompts { border-left: solid $panel; }
    BenchPlanScreen #plan-about { height: 1; color: $text-muted; }
    BenchPlanScreen .plan-row { height: 1; }
    BenchPlanScreen .plan-row Label { width: auto; color: $text-muted; margin-right: 1; }
    BenchPlanScreen .plan-row Input { width: 7; margin: 0 2 0 0; background: $panel; }
    BenchPlanScreen #plan-switches { height: 1; text-wrap: nowrap; }
    BenchPlanScreen #plan-size { height: 1; text-overflow: ellipsis; text-wrap: nowrap; }
    BenchPlanScreen #plan-size.-problem { color: $text-error; text-style: bold; }
    BenchPlanScreen #plan-problem { height: auto; max-height: 3; color: $text-error; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "begin", "Begin", priority=True, show=False, id="plan.begin_anywhere"),
    ]

    def __init__(
        self,
        *,
        models: Sequence[ModelVariant],
        prompts: Callable[[], tuple[PlannedPrompt, ...]],
        draft: BenchDraft,
        store: RunStore,
        begin: Callable[[BenchPlan], Awaitable[str]],
        keep: Callable[[BenchDraft], None],
    ) -> None:
        super().__init__()
        self._variants = {model.id: model for model in models}
        self._read_prompts = prompts
        self._first = draft
        self._store = store
        self._begin = begin
        self._keep = keep
        # In the order in which they were taken, as they are asked.
        self._models = dict.fromkeys(name for name in draft.models if name in self._variants)
        self._prompts: dict[str, PlannedPrompt] = {}
        self._chosen: dict[str, None] = {}
        self._switches = set(draft.switches)
        self._spans: Spans = Spans()
        self._is_beginning = False
        left_out = [name for name in draft.models if name not in self._variants]
        self._problem = _left_out_words(left_out)

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
            box.border_title = "Plan a benchmark"
            box.border_subtitle = "Space takes or leaves · Tab ↔ · Enter begins · Esc leaves"
            with Horizontal(id="plan-lists"):
                yield _Marks(_MODELS, empty_text=_NO_MODELS, id="plan-models")
                yield _Marks(_PROMPTS, empty_text="Reading prompts.json …", id="plan-prompts")
            yield Static(id="plan-about", markup=False)
            texts = self._first.texts()
            for row in FIELDS:
                with Horizontal(classes="plan-row"):
                    for field in row:
                        yield Label(field.label)
                        yield LineField(texts[field.key], id=f"plan-{field.key}", compact=True, max_length=12)
            yield Static(id="plan-switches", markup=False)
            yield Static(id="plan-size", markup=False)
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
        self._look_back()

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
        for table, taken in ((self.model_table, self._models), (self.prompt_table, self._chosen)):
            if table.has_focus and (key := table.cursor_key) is not None:
                if key in taken:
                    del taken[key]
                else:
                    taken[key] = None
        self._say("")
        self._show_models()
        self._show_prompts()
        self._show_size()

    def action_switch(self, name: str) -> None:
        """Turn one of the three on or off."""
        self._switches ^= {Switch(name)}
        self._show_switches()
        self._show_size()

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
        except ValueError:
            self.query_one("#plan-size").add_class("-problem")  # which says it already
        except FoundryTuiError as error:
            self._say(error_words(error))
        finally:
            self._is_beginning = False

    @work(group="prompts")
    async def _load_prompts(self) -> None:
        try:
            found = await asyncio.to_thread(self._read_prompts)
        except FoundryTuiError as error:
            self.prompt_table.empty_text = error_words(error)
            return
        self._prompts = {prompt.id: prompt for prompt in found}
        wanted = [name for name in self._first.prompt_ids if name in self._prompts]
        self._chosen = dict.fromkeys(wanted or self._prompts)
        self.prompt_table.empty_text = "prompts.json has no prompt."
        self._show_prompts()
        self._show_size()

    @work(group="look-back")
    async def _look_back(self) -> None:
        """Learn from the newest runs how long requests took; without them the time is unknown."""
        try:
            listed = await self._store.runs(limit=_RUNS_LISTED)
            for run in [one for one in listed if one.requests][:_RUNS_READ]:
                self._spans = self._spans.over(spans_of(await self._store.requests(run.id)))
        except FoundryTuiError:
            return  # whatever is wrong with the disk is told when the run begins
        self._show_size()

    # --- what is shown

    @property
    def _draft(self) -> BenchDraft:
        texts = {field.key: self._text(field.key) for row in FIELDS for field in row}
        return BenchDraft(
            models=tuple(self._models),
            prompts=tuple(prompt for key, prompt in self._prompts.items() if key in self._chosen),
            prompt_ids=tuple(self._chosen) if self._prompts else self._first.prompt_ids,
            fields=tuple(texts.items()),
            switches=frozenset(self._switches),
        )

    def _text(self, key: str) -> str:
        return self.query_one(f"#plan-{key}", Input).value

    def _show_models(self) -> None:
        if not self.is_open:
            return
        table = self.model_table
        width = table.scrollable_content_region.width
        room = next((one.width for one in place(_MODELS, width) if one.column.key == "name"), 20)
        table.set_rows(
            [
                Row(
                    key=model.id,
                    cells=(
                        _MARK if model.id in self._models else "",
                        cut_within(clean_line(model.id), room),
                        "" if model.device is None else model.device.value,
                    ),
                )
                for model in self._variants.values()
            ]
        )

    def _show_prompts(self) -> None:
        self.prompt_table.set_rows(
            [
                Row(key=prompt.id, cells=(_MARK if prompt.id in self._chosen else "", prompt.id, prompt.text))
                for prompt in self._prompts.values()
            ]
        )

    def _show_about(self) -> None:
        words = ""
        if self.model_table.has_focus and (key := self.model_table.cursor_key) is not None:
            words = clean_line(key)
        elif self.prompt_table.has_focus and (key := self.prompt_table.cursor_key) is not None:
            words = clean_line(self._prompts[key].text, 400)
        width = max(20, self.size.width - 4)
        self.query_one("#plan-about", Static).update(cut(words, width), layout=False)

    def _show_size(self) -> None:
        if self.is_open:
            line = self.query_one("#plan-size", Static)
            line.remove_class("-problem")
            line.update(size_words(self._draft, self._spans), layout=False)

    def _show_switches(self) -> None:
        words = "   ".join(
            f"[{'x' if switch in self._switches else ' '}] {switch.key} {switch.label}" for switch in Switch
        )
        self.query_one("#plan-switches", Static).update(words, layout=False)

    def _say(self, words: str) -> None:
        line = self.query_one("#plan-problem", Static)
        line.display = bool(words)
        line.update(words)


def _left_out_words(names: Sequence[str]) -> str:
    if not names:
        return ""
    return f"Left out, for it is not on this machine: {clean_line(', '.join(names), 200)}"
