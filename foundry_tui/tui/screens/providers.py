"""Execution providers: what can run models on this machine's processors, and how to get it."""

import math
import time
from collections.abc import Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.domain.engine import (
    Capability,
    EngineDead,
    EngineReady,
    EngineStarting,
    ExecutionProvider,
    ProviderProgress,
    ProvidersRegistered,
)
from foundry_tui.domain.errors import EngineError
from foundry_tui.domain.resources import GpuSamples
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.engine import (
    machine_gpus,
    names_in_words,
    no_providers_words,
    pace_in_words,
    provider_words,
)
from foundry_tui.reports.errors import error_words
from foundry_tui.services.client import ClientService
from foundry_tui.tui.notices import tell
from foundry_tui.tui.presenters import death_words
from foundry_tui.tui.screens.overlay import ConfirmScreen, Overlay
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone
from foundry_tui.tui.widgets.table_parts import Column, Emphasis, Row

__all__ = ["ProvidersScreen"]

_COLUMNS = (
    Column(key="name", label="Execution provider", width=26, weight=2, priority=2),
    Column(key="state", label="State", width=15, weight=1, priority=1),
    Column(key="progress", label="Progress", width=27, weight=1),
)
_CPU = "CPUExecutionProvider"
_BAR_CELLS = 20
_REDRAW_S = 0.25
_NS_PER_S = 1_000_000_000


class _Table(RowTable):
    """Its Enter is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "activate", "Download and register", id="providers.register")
    ]


class ProvidersScreen(Overlay[None]):
    """Lists what the runtime offers this machine, downloads and registers it, and tells how far that is.

    Args:
        client: Knows them and fetches them.
        gpu: What the last sample said of the GPUs; None before there was one.
        clock_ns: How long a download takes is read from it.
    """

    DEFAULT_CSS = """
    ProvidersScreen #providers-table { height: 1fr; min-height: 4; }
    ProvidersScreen #providers-detail { height: 9; border-top: solid $panel; }
    ProvidersScreen #providers-state {
        height: 1; color: $text-muted; text-overflow: ellipsis; text-wrap: nowrap;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("A", "register_all", "All of them", id="providers.register_all"),
        Binding("r", "look", "Look again", id="providers.look"),
    ]

    def __init__(
        self,
        client: ClientService,
        *,
        gpu: Callable[[], GpuSamples | None],
        clock_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        super().__init__()
        self._client = client
        self._gpu = gpu
        self._clock_ns = clock_ns
        self._providers: tuple[ExecutionProvider, ...] | None = None
        self._percent: dict[str, float] = {}
        self._wanted: tuple[str, ...] = ()
        self._failed: tuple[str, ...] = ()
        self._problem: EngineError | None = None
        self._said: str | None = None
        self._began_ns: int | None = None

    @property
    def table(self) -> RowTable:
        """The list, what has the focus."""
        return self.query_one(RowTable)

    def compose(self) -> ComposeResult:
        with Vertical(id="providers-box", classes="full") as box:
            box.border_title = "Execution providers"
            box.border_subtitle = "Tab ↔ list, text · Esc closes"
            yield _Table(_COLUMNS, empty_text="Looking …", id="providers-table")
            yield Sheet(id="providers-detail")
            yield Static(id="providers-state", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show what is known, and ask for the rest."""
        self.table.focus()
        self.set_interval(_REDRAW_S, self._tick)
        self._redraw()
        self._follow_engine()

    def escape(self) -> bool:
        """Stop a download under way; False where there is none."""
        if not self._is_downloading():
            return False
        self.workers.cancel_group(self, "register")
        return True

    def action_look(self) -> None:
        """Ask the runtime again."""
        self._look()

    def action_register_all(self) -> None:
        """Download and register all that are not registered yet."""
        missing = tuple(one.name for one in self._providers or () if not one.is_registered)
        if not missing:
            tell(self, "There is nothing left to register")
            return
        self._register(missing)

    @on(RowTable.RowActivated)
    def _chosen(self, message: RowTable.RowActivated) -> None:
        message.stop()
        provider = self._provider(message.key)
        if provider is None:
            tell(self, "That one is part of the runtime")
        elif provider.is_registered:
            tell(self, f"{clean_line(provider.name)} is registered already")
        else:
            self._register((provider.name,))

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._show_detail()

    # --- what is done

    @work(group="engine")
    async def _follow_engine(self) -> None:
        """A new life of the engine has its own list, and it is asked for when it is up."""
        async for state in self._client.engine_states():
            if isinstance(state, EngineReady) and self._can():
                self._look()
            else:
                self._providers = None
                self._redraw()

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        if not self._can():
            self._redraw()
            return
        try:
            self._providers = await self._client.providers()
            self._problem = None
        except EngineError as error:
            self._problem = error
        self._redraw()

    @work(group="register")
    async def _register(self, names: tuple[str, ...]) -> None:
        if self._is_downloading():
            tell(self, "A download is under way: Esc stops it")
            return
        question = (
            f"Download and register {names_in_words(names)}?\nThe runtime does not say beforehand how large"
            " that is: it may be some hundred MB."
        )
        if not await self.app.push_screen_wait(ConfirmScreen(question, "Download")):
            return
        if self._is_downloading():
            return
        self._wanted, self._percent, self._failed = names, {}, ()
        self._problem, self._said, self._began_ns = None, None, self._clock_ns()
        self._redraw()
        try:
            async with self._client.registering(names) as events:
                async for event in events:
                    match event:
                        case ProviderProgress(name, percent):
                            self._percent[name] = percent
                        case ProvidersRegistered(providers, failed):
                            self._providers, self._failed = providers, failed
                            self._said = _outcome(names, failed)
        except EngineError as error:
            self._problem = error
        finally:
            if self._said is None and self._problem is None:
                self._said = "Stopped; what was registered before stays so"
            self._began_ns, self._wanted = None, ()
            self._redraw()

    # --- what is shown

    def _tick(self) -> None:
        if self._is_downloading():
            self._redraw()

    def _redraw(self) -> None:
        if not self.is_open:
            return
        table = self.table
        rows = self._rows()
        table.empty_text = self._empty_words()
        if tuple(rows) != table.rows:
            table.set_rows(rows)
        self._show_detail()
        self._show_state()

    def _rows(self) -> list[Row]:
        if self._providers is None:
            return []
        cpu = Row(key="", cells=(_CPU, "part of it", ""), emphasis=Emphasis.DIM)
        return [*(self._row(one) for one in self._providers if one.name != _CPU), cpu]

    def _row(self, provider: ExecutionProvider) -> Row:
        percent = self._percent.get(provider.name)
        state, progress, emphasis = provider_words(provider), "", Emphasis.NORMAL
        if provider.is_registered:
            emphasis = Emphasis.GOOD
        elif provider.name in self._wanted:
            state, progress = "downloading", _bar(percent or 0.0)
            if percent is None:
                state = "waiting"
        elif provider.name in self._failed:
            state, emphasis = "FAILED", Emphasis.PROBLEM
            progress = "" if percent is None else f"came to {percent:.0f} %"
        return Row(key=provider.name, cells=(provider.name, state, progress), emphasis=emphasis)

    def _empty_words(self) -> str:
        state = self._client.engine_state
        match state:
            case EngineDead():
                return f"{death_words(state)}\nEsc leaves this first."
            case EngineStarting():
                return "The engine is starting …"
            case EngineReady() if not self._can():
                return (
                    "The server in use looks after its execution providers itself.\n\nThose of the managed"
                    " runtime are shown here while it is in use."
                )
            case EngineReady() if self._problem is not None:
                return f"{error_words(self._problem)}\nr asks again."
            case EngineReady():
                return "Asking the runtime …"
            case _:
                return "The engine has not been started."

    def _show_detail(self) -> None:
        said: list[Paragraph] = []
        if self._problem is not None and self._providers is not None:
            said.append(Paragraph(label="Problem", text=error_words(self._problem), tone=Tone.PROBLEM))
        if self._failed:
            text = "r looks again; F4, after Esc, shows what the runtime logged about it"
            said.append(
                Paragraph(label="Failed", text=f"{names_in_words(self._failed)}\n→ {text}", tone=Tone.PROBLEM)
            )
        gpu = self._gpu()
        said.append(Paragraph(label="GPU here", text=machine_gpus(gpu)))
        if self._providers is not None and all(one.name == _CPU for one in self._providers):
            said.append(Paragraph(label="None", text=no_providers_words(gpu)))
        elif self._providers:
            text = "registered ones make their variants show in the catalog, and are registered again after"
            text += " each restart while the app runs; what really runs a model is told after its load"
            said.append(Paragraph(label="Then", text=text, tone=Tone.MUTED))
        sheet = self.query_one(Sheet)
        if said != list(sheet.paragraphs):
            sheet.set_paragraphs(said)

    def _show_state(self) -> None:
        if self._began_ns is not None:
            elapsed = pace_in_words((self._clock_ns() - self._began_ns) / _NS_PER_S)
            words = f"Downloading for {elapsed}; Esc stops it"
        elif self._said is not None:
            words = self._said
        elif self._providers == ():
            words = "Nothing to register: the CPU's is part of the runtime"
        elif self._providers is not None:
            done = sum(one.is_registered for one in self._providers)
            words = f"{done} of {len(self._providers)} registered beside the CPU's"
        else:
            words = ""
        self.query_one("#providers-state", Static).update(words, layout=False)

    # --- what is known

    def _is_downloading(self) -> bool:
        return self._began_ns is not None

    def _can(self) -> bool:
        info = self._client.engine_info
        return info is not None and info.can(Capability.PROVIDERS)

    def _provider(self, name: str) -> ExecutionProvider | None:
        return next((one for one in self._providers or () if one.name == name), None)


def _outcome(names: tuple[str, ...], failed: tuple[str, ...]) -> str:
    done = [name for name in names if name not in failed]
    if not failed:
        return f"Registered: {names_in_words(done)}"
    return f"{len(done)} of {len(names)} registered; failed: {names_in_words(failed)}"


def _bar(percent: float) -> str:
    """``━━━━━━──────────────  30 %``; what a runtime says may be anything, so it is kept within its ends."""
    share = min(max(percent, 0.0), 100.0) / 100 if math.isfinite(percent) else 0.0
    filled = round(share * _BAR_CELLS)
    return f"{'━' * filled}{'─' * (_BAR_CELLS - filled)} {share:4.0%}"
