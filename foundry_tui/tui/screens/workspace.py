"""The workspace: catalog, cache, chat, and a line about the machine."""

import importlib
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Static

from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.errors import EngineError
from foundry_tui.services.opened import Services
from foundry_tui.tui.messages import ModelActivated, ModelDetailWanted
from foundry_tui.tui.notices import complain
from foundry_tui.tui.panes.cache import CachePane
from foundry_tui.tui.panes.catalog import CatalogPane
from foundry_tui.tui.panes.chat import ChatPane
from foundry_tui.tui.presenters import engine_facts, engine_words, load_words, resource_parts
from foundry_tui.tui.screens.opening import PANES
from foundry_tui.tui.screens.overlay import ChatOptionsScreen, DetailScreen, HelpScreen
from foundry_tui.tui.widgets.resource_strip import ResourceStrip

__all__ = ["WorkspaceScreen"]


class WorkspaceScreen(Screen[None]):
    """Arranges the panes: side by side where there is room, one at a time where there is not."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - declared without ClassVar by the base class
        (0, "-narrow"),
        (100, "-wide"),
    ]
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "show_pane('catalog')", "Catalog", show=False),
        Binding("2", "show_pane('cache')", "Cache", show=False),
        Binding("3", "show_pane('chat')", "Chat", show=False),
        Binding("alt+1", "show_pane('catalog')", "Catalog", priority=True, show=False),
        Binding("alt+2", "show_pane('cache')", "Cache", priority=True, show=False),
        Binding("alt+3", "show_pane('chat')", "Chat", priority=True, show=False),
        Binding("ctrl+o", "chat_options", "Options", priority=True),
        Binding("ctrl+r", "restart_engine", "Restart engine", priority=True, show=False),
    ]

    active_model: reactive[str | None] = reactive(None)
    current_pane: reactive[str] = reactive("catalog")

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._client = services.client
        self._is_maximised = False

    @property
    def chat(self) -> ChatPane:
        """The chat pane."""
        return self.query_one(ChatPane)

    def compose(self) -> ComposeResult:
        yield ResourceStrip(id="strip")
        yield Static(id="tabs", markup=False)
        with Horizontal(id="panes"):
            with Vertical(id="left"):
                yield CatalogPane(self._client, id="catalog")
                yield CachePane(self._client, id="cache")
            yield ChatPane(self._client, self._services.setup.chat, id="chat").data_bind(
                WorkspaceScreen.active_model
            )
        yield Footer(compact=True, show_command_palette=False)

    def on_mount(self) -> None:
        """Name the panes; everything slow begins after the first frame."""
        for name, title in PANES:
            self.query_one(f"#{name}").border_title = title
        start = "chat" if self._services.setup.start_with else "catalog"
        self.action_show_pane(start)
        self._show_tabs()
        self.call_after_refresh(self._bring_up)

    def watch_current_pane(self, name: str) -> None:
        """Mark the pane; where there is room for one only, it is this one."""
        for other, _ in PANES:
            self.query_one(f"#{other}").set_class(other == name, "-current")
        left = self.query_one("#left")
        left.set_class(name != "chat", "-current")
        self._show_tabs()

    def on_descendant_focus(self) -> None:
        """The pane with the focus is the current one."""
        node: Widget | None = self.focused
        while node is not None and node.id not in dict(PANES):
            node = node.parent if isinstance(node.parent, Widget) else None
        if node is not None and node.id is not None:
            self.current_pane = node.id

    def action_show_pane(self, name: str) -> None:
        """Go to a pane; again: give it the whole screen."""
        if name == self.current_pane and self.focused is not None:
            self._set_maximised(not self._is_maximised)
        self.current_pane = name
        if name == "chat":
            self.chat.focus_prompt()
        else:
            pane = self.query_one(f"#{name}")
            if isinstance(pane, CatalogPane | CachePane):
                pane.table.focus()

    def escape(self) -> None:
        """Leave the filter; else restore a maximised pane."""
        if self.current_pane == "catalog" and self.query_one(CatalogPane).leave_filter():
            return
        self._set_maximised(False)

    def action_chat_options(self) -> None:
        """Set what the next requests carry."""

        def take(options: ChatOptions | None) -> None:
            if options is not None:
                self.chat.options = options

        self.app.push_screen(ChatOptionsScreen(self.chat.options), take)

    def action_restart_engine(self) -> None:
        """Stop the engine, start it anew, and load again what was loaded."""
        self.chat.stop()
        self._restart()

    def refresh_catalog(self) -> None:
        """Ask the engine for its models again, and the network if that is allowed."""
        self.query_one(CatalogPane).action_refresh()

    def show_help(self) -> None:
        """All keys, those of the current place first."""
        info = self._client.engine_info
        about = [] if info is None else [("This engine", engine_facts(info))]
        self.app.push_screen(HelpScreen([*_HELP, *about]))

    @on(ModelActivated)
    def _activated(self, message: ModelActivated) -> None:
        message.stop()
        self.active_model = message.model_id
        self.action_show_pane("chat")

    @on(ModelDetailWanted)
    def _detail_wanted(self, message: ModelDetailWanted) -> None:
        message.stop()
        model = self._client.catalog.value.find(message.model_id)
        if model is not None:
            self.app.push_screen(DetailScreen(model, self._client.load_reports.get(model.id)))

    def _bring_up(self) -> None:
        self._follow_engine()
        self._follow_resources()
        self._services.background.start("resource sampler", self._services.sampler.run())
        self._start()
        self._warm_up()

    @work(thread=True, group="warm-up")
    def _warm_up(self) -> None:
        """Import what the first Markdown answer needs, so that it does not stutter."""
        importlib.import_module("foundry_tui.tui.widgets.markdown_render")

    @work(group="start")
    async def _start(self) -> None:
        await self._client.show_snapshot()
        try:
            await self._client.start()
            await self._load_wanted()
        except EngineError as error:
            complain(self, error)
            return
        self._client.refresh_soon()

    async def _load_wanted(self) -> None:
        """Load what the app was asked to begin with, once; from then on the choice is the user's."""
        if self.active_model is None and (model_id := self._services.setup.start_with) is not None:
            self.active_model = model_id
            self.chat.tell(load_words(await self._client.load(model_id)))

    @work(exclusive=True, group="restart")
    async def _restart(self) -> None:
        try:
            reports = await self._client.restart()
            self.chat.tell(
                "\n".join(["The engine was restarted.", *(load_words(report) for report in reports)])
            )
            await self._load_wanted()
        except EngineError as error:
            complain(self, error)
            return
        self._client.refresh_soon()

    @work(group="engine")
    async def _follow_engine(self) -> None:
        strip = self.query_one(ResourceStrip)
        async for state in self._client.engine_states():
            strip.engine = engine_words(state, self._services.setup.where)
            self.chat.show_engine(state)

    @work(group="resources")
    async def _follow_resources(self) -> None:
        strip = self.query_one(ResourceStrip)
        async for sample in self._services.sampler.samples.watch():
            strip.parts = tuple(resource_parts(sample))

    def _set_maximised(self, is_maximised: bool) -> None:
        self._is_maximised = is_maximised
        self.set_class(is_maximised, "-maximised")

    def _show_tabs(self) -> None:
        names = [f"[{title}]" if name == self.current_pane else f" {title} " for name, title in PANES]
        self.query_one("#tabs", Static).update(" ".join(names))


_HELP: list[tuple[str, list[tuple[str, str]]]] = [
    (
        "Everywhere",
        [
            ("1 2 3, Alt+1 2 3", "go to a pane; again: give it the whole screen"),
            ("Tab, Shift+Tab", "next and previous field"),
            ("Esc", "stop an answer; close what is open; restore the panes"),
            ("Ctrl+O", "chat options: system prompt, temperature, max tokens, seed"),
            ("Ctrl+R", "restart the engine and load again what was loaded"),
            ("Ctrl+P", "command palette: themes and more"),
            ("F1, ?", "these keys"),
            ("Ctrl+Q", "quit"),
        ],
    ),
    (
        "Catalog and cache",
        [
            ("Enter", "talk to the model (loads it with the first question)"),
            ("l / u", "load / unload"),
            ("i", "everything known about the model"),
            ("/", "filter the catalog as you type; Esc clears"),
            ("s / S", "sort by the next column / turn the order around; or click a heading"),
            ("r", "ask the catalog again"),
        ],
    ),
    (
        "Chat",
        [
            ("Enter", "send"),
            ("Ctrl+J, Shift+Enter", "new line"),
            ("Ctrl+N", "new conversation"),
            ("PageUp, End", "in the transcript: read back, follow again"),
        ],
    ),
]
