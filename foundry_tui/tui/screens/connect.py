"""How other programs use the service that runs: its address, and lines for curl, Python and VS Code."""

import time
from collections.abc import Callable
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from foundry_tui.aio import Feed
from foundry_tui.domain.engine import EndpointKind, EngineDead, EngineInfo, EngineReady, EngineStarting
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.engine import KIND_NAMES, exposure_words, warmth_words
from foundry_tui.reports.snippets import Snippet, SnippetTarget, api_base, snippets
from foundry_tui.services.client import ClientService
from foundry_tui.services.keep_warm import Warmth, WarmthState
from foundry_tui.tui.notices import tell
from foundry_tui.tui.presenters import death_words
from foundry_tui.tui.screens.overlay import Overlay
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["ConnectScreen", "warmth_line"]

_NS_PER_S = 1_000_000_000
_REDRAW_S = 1.0
_TABS = {SnippetTarget.CURL: "curl", SnippetTarget.PYTHON: "Python", SnippetTarget.VS_CODE: "VS Code"}
_NO_SNIPPET = (
    "There is none for this model: that editor would read a part of its name as a command. Give the model's"
    " folder another name, or use the address above."
)


def warmth_line(warmth: Warmth, now_ns: int) -> str:
    """What is done to keep models warm, in words; ``now_ns`` is on the clock of that service."""
    since = None if warmth.last_warm_ns is None else (now_ns - warmth.last_warm_ns) / _NS_PER_S
    return warmth_words(
        warm_every_s=warmth.options.warm_every_s,
        unload_after_s=warmth.options.unload_after_s,
        is_busy=warmth.state in (WarmthState.WARMING, WarmthState.UNLOADING),
        warmed=warmth.warmed,
        since_warm_s=since,
        problem=warmth.problem,
    )


class ConnectScreen(Overlay[None]):
    """Shows the address and one snippet at a time, and copies them; follows the engine while it is open.

    Args:
        client: Tells what runs, and which models there are.
        model_id: The model that the snippets name at first; None takes the first in memory, or on disk.
        key_env: Name of the variable with the key of the server in use; None where it wants none.
        pinned_port: The port that the managed service always has; None where it takes a free one.
        warmth: What is done to keep models warm; None leaves that out.
        clock_ns: The clock of ``warmth``.
    """

    DEFAULT_CSS = """
    ConnectScreen #connect-facts { height: auto; max-height: 9; scrollbar-size-horizontal: 0; }
    ConnectScreen #connect-tabs { height: 1; margin-top: 1; color: $text; text-wrap: nowrap; }
    ConnectScreen #connect-hint { height: auto; max-height: 3; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "show('curl')", "curl", id="connect.curl"),
        Binding("2", "show('python')", "Python", id="connect.python"),
        Binding("3", "show('vscode')", "VS Code", id="connect.vscode"),
        Binding("c", "copy", "Copy this", id="connect.copy"),
        Binding("a", "copy_address", "Copy the address", id="connect.copy_address"),
        Binding("m", "next_model", "Another model", id="connect.model"),
    ]

    def __init__(
        self,
        client: ClientService,
        *,
        model_id: str | None = None,
        key_env: Callable[[], str | None] = lambda: None,
        pinned_port: Callable[[], int | None] = lambda: None,
        warmth: Feed[Warmth] | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__()
        self._client = client
        self._model_id = model_id
        self._key_env = key_env
        self._pinned_port = pinned_port
        self._warmth = warmth
        self._clock_ns = clock_ns
        self._target = SnippetTarget.CURL

    @property
    def sheet(self) -> Sheet:
        """The snippet, what has the focus."""
        return self.query_one("#connect-snippet", Sheet)

    @property
    def snippet(self) -> Snippet | None:
        """What is shown and would be copied; None where there is nothing to copy."""
        info, model = self._info(), self._model()
        if info is None or info.url is None or model is None:
            return None
        made = snippets(
            info.url,
            model.id,
            catalog=model.catalog,
            key_env=self._key_env() if info.kind is not EndpointKind.MANAGED else None,
            context_tokens=model.context_tokens,
        )
        return next((one for one in made if one.target is self._target), None)

    def compose(self) -> ComposeResult:
        with Vertical(id="connect-box", classes="full") as box:
            box.border_title = "Use it from other programs"
            box.border_subtitle = "↑ ↓ scroll · Esc closes"
            yield Sheet(id="connect-facts")
            yield Static(id="connect-tabs", markup=False)
            yield Sheet(id="connect-snippet")
            yield Static(id="connect-hint", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show what runs, and follow it."""
        self.sheet.focus()
        self.set_interval(_REDRAW_S, self._show_facts)  # how long ago the last light prompt was
        self._follow_engine()
        self._follow_catalog()
        if self._warmth is not None:
            self._follow_warmth(self._warmth)

    def action_show(self, target: str) -> None:
        """Show the snippet for that target."""
        self._target = SnippetTarget(target)
        self._show()
        self.sheet.scroll_home(animate=False)

    def action_copy(self) -> None:
        """Put the snippet into the clipboard, as it is, whole."""
        snippet = self.snippet
        if snippet is None:
            tell(self, "There is nothing to copy", is_warning=True)
            return
        self.app.copy_to_clipboard(snippet.text)
        tell(self, f"{snippet.title}: copied")

    def action_copy_address(self) -> None:
        """Put the base address into the clipboard."""
        address = self._address()
        if address is None:
            tell(self, "There is no address to copy", is_warning=True)
            return
        self.app.copy_to_clipboard(address)
        tell(self, f"{clean_line(address)} copied")

    def action_next_model(self) -> None:
        """Name the next of the models that are in memory or on disk."""
        models, model = self._models(), self._model()
        if not models:
            tell(self, "No model is here to be named", is_warning=True)
            return
        ids = [one.id for one in models]
        at = ids.index(model.id) if model is not None and model.id in ids else -1
        self._model_id = ids[(at + 1) % len(ids)]
        self._show()

    @work(group="engine")
    async def _follow_engine(self) -> None:
        async for _ in self._client.engine_states():
            self._show()

    @work(group="catalog")
    async def _follow_catalog(self) -> None:
        async for _ in self._client.catalog.watch():
            self._show()

    @work(group="warmth")
    async def _follow_warmth(self, warmth: Feed[Warmth]) -> None:
        async for _ in warmth.watch():
            self._show_facts()

    # --- what is shown

    def _show(self) -> None:
        if not self.is_open:
            return
        self._show_facts()
        snippet = self.snippet
        tabs = [
            f"[{number} {title}]" if target is self._target else f" {number} {title} "
            for number, (target, title) in enumerate(_TABS.items(), start=1)
        ]
        self.query_one("#connect-tabs", Static).update(" ".join(tabs), layout=False)
        said = [Paragraph(text=snippet.text.rstrip("\n"))] if snippet is not None else [self._why_none()]
        if said != list(self.sheet.paragraphs):
            self.sheet.set_paragraphs(said)
        hint = "" if snippet is None else f"c copies it whole · {snippet.hint}"
        self.query_one("#connect-hint", Static).update(hint)

    def _show_facts(self) -> None:
        if not self.is_open:
            return
        facts = self.query_one("#connect-facts", Sheet)
        said = self._facts()
        if said != list(facts.paragraphs):
            facts.set_paragraphs(said)

    def _facts(self) -> list[Paragraph]:
        info, model = self._info(), self._model()
        said: list[Paragraph] = []
        if info is not None and info.url is not None:
            said.append(Paragraph(label="Address", text=self._address() or "n/a", tone=Tone.GOOD))
            said.append(Paragraph(label="Is", text=f"{KIND_NAMES[info.kind]}; {self._port_words(info)}"))
            if model is not None:
                said.append(Paragraph(label="Model", text=self._model_words(model)))
            if (key_env := self._key_env()) is not None and info.kind is not EndpointKind.MANAGED:
                said.append(Paragraph(label="Key", text=f"in the environment variable {key_env}"))
            if (warning := exposure_words(info.url)) is not None:
                said.append(Paragraph(label="Warning", text=warning, tone=Tone.WARNING))
        if self._warmth is not None:
            warm = warmth_line(self._warmth.value, self._clock_ns())
            has_failed = self._warmth.value.problem is not None
            tone = Tone.WARNING if has_failed else Tone.MUTED if warm == "off" else Tone.NORMAL
            said.append(Paragraph(label="Keep warm", text=warm, tone=tone))
        return said

    def _port_words(self, info: EngineInfo) -> str:
        if info.kind is not EndpointKind.MANAGED:
            return "its address is its own affair"
        port = self._pinned_port()
        if port is None:
            return "while this app runs, on a port that changes at each start: --port 5273 pins one"
        return f"while this app runs, always on port {port}"

    def _model_words(self, model: ModelVariant) -> str:
        name = clean_line(model.id)
        if model.is_loaded is False:
            return f"{name}, not in memory: it answers once it is loaded"
        return name

    def _why_none(self) -> Paragraph:
        state = self._client.engine_state
        match state:
            case EngineDead():
                return Paragraph(text=f"{death_words(state)}\nEsc leaves this first.", tone=Tone.PROBLEM)
            case EngineStarting():
                return Paragraph(text="The engine is starting …", tone=Tone.MUTED)
            case EngineReady(info) if info.url is None:
                return Paragraph(text="This engine has no address that others could use.", tone=Tone.MUTED)
            case EngineReady():
                if self._model() is not None:
                    return Paragraph(text=_NO_SNIPPET, tone=Tone.WARNING)
                return Paragraph(
                    text="No model is here to be named: download one in the catalog, or load one.",
                    tone=Tone.MUTED,
                )
            case _:
                return Paragraph(text="The engine has not been started.", tone=Tone.MUTED)

    # --- what is known

    def _info(self) -> EngineInfo | None:
        return self._client.engine_info

    def _address(self) -> str | None:
        info, model = self._info(), self._model()
        if info is None or info.url is None:
            return None
        return api_base(info.url) if model is None else api_base(info.url, model.catalog)

    def _models(self) -> list[ModelVariant]:
        """Those that can be named: in memory first, then on disk; of a server that does not tell, all."""
        every = self._client.catalog.value.models
        loaded = [model for model in every if model.is_loaded]
        return loaded + [model for model in every if not model.is_loaded and model.is_cached is not False]

    def _model(self) -> ModelVariant | None:
        if self._model_id is not None:
            named = self._client.catalog.value.find(self._model_id)
            if named is not None:
                return named
        return next(iter(self._models()), None)
