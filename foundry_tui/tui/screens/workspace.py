"""The workspace: catalog, cache, chat, and a line about the machine."""

import importlib
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.dom import DOMNode
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.errors import EngineError
from foundry_tui.domain.layout import NARROWEST_LEFT, WIDEST_LEFT, Layout
from foundry_tui.reports.models import load_words
from foundry_tui.services.calm import leave_out
from foundry_tui.services.opened import Services
from foundry_tui.services.setup import Setup
from foundry_tui.tui.actions import Action, actions_of
from foundry_tui.tui.load_guard import is_load_wanted
from foundry_tui.tui.messages import DownloadWanted, ModelActivated, ModelDetailWanted, RaceWanted
from foundry_tui.tui.notices import complain
from foundry_tui.tui.panes.cache import CachePane
from foundry_tui.tui.panes.catalog import CatalogPane
from foundry_tui.tui.panes.catalog_columns import CatalogView
from foundry_tui.tui.panes.chat import ChatPane
from foundry_tui.tui.presenters import engine_facts, engine_words, resource_parts
from foundry_tui.tui.screens.desk import Desk
from foundry_tui.tui.screens.help import HelpSection, place_help
from foundry_tui.tui.screens.jump import JumpScreen, targets_of
from foundry_tui.tui.screens.opening import PANES
from foundry_tui.tui.screens.overlay import ChatOptionsScreen, Overlay
from foundry_tui.tui.widgets.find_bar import FindBar
from foundry_tui.tui.widgets.gap_ribbon import GapRibbon
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.prompt_input import PromptInput
from foundry_tui.tui.widgets.resource_strip import ResourceStrip
from foundry_tui.tui.widgets.transcript import Transcript

__all__ = ["WorkspaceScreen"]

_RESIZE_PERCENT = 4
_NUMBERED = (("4", "bench"), ("5", "resources"), ("6", "beside"), ("7", "choose"))
_PLACES: tuple[tuple[str, type[Widget]], ...] = (
    ("Prompt", PromptInput),
    ("Transcript", Transcript),
    ("Time between tokens", GapRibbon),
    ("Find", FindBar),
    ("Chat", ChatPane),
    ("Catalog", CatalogPane),
    ("Cache", CachePane),
)
# Caught before any widget, a text field too.
_everywhere = partial(Binding, priority=True, show=False)


class WorkspaceScreen(Screen[None]):
    """Arranges the panes: side by side where there is room, one at a time where there is not."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - as the base class declares it
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "show_pane('catalog')", "Catalog", show=False, id="pane.catalog"),
        Binding("2", "show_pane('cache')", "Cache", show=False, id="pane.cache"),
        Binding("3", "show_pane('chat')", "Chat", show=False, id="pane.chat"),
        *(_everywhere(f"alt+{n}", f"show_pane('{name}')") for n, (name, _) in enumerate(PANES, 1)),
        *(Binding(key, action, show=False) for key, action in _NUMBERED),
        _everywhere("alt+4", "bench", "Benchmark", id="app.bench"),
        _everywhere("alt+5", "resources", "Resources", id="app.resources"),
        _everywhere("alt+6", "beside", "Ask models side by side", id="app.beside"),
        _everywhere("alt+7", "choose", "Choose a model by what was measured", id="app.choose"),
        _everywhere("ctrl+g", "jump", "Jump to a place by its letter", id="app.jump"),
        Binding("ctrl+l", "conversations", "Conversations", priority=True, id="app.conversations"),
        _everywhere("ctrl+f", "find", "Find", id="chat.find"),
        _everywhere("ctrl+t", "prompts", "Prompts", id="app.prompts"),
        _everywhere("f5", "attach", "Attach a text file", id="chat.attach"),
        _everywhere("ctrl+o", "chat_options", "Options", id="chat.options"),
        _everywhere("f6", "ribbon", "Show or hide the time between tokens", id="chat.ribbon"),
        _everywhere("f3", "endpoints", "Where models run", id="app.endpoints"),
        _everywhere("f8", "downloads", "Downloads", id="app.downloads"),
        _everywhere("f9", "providers", "Execution providers", id="app.providers"),
        _everywhere("f10", "connect", "Use it from other programs", id="app.connect"),
        _everywhere("f12", "validate", "Check the target models", id="app.validate"),
        _everywhere("f4", "log", "Log", id="app.log"),
        Binding("ctrl+right", "widen(1)", "Widen the left side", show=False, id="pane.wider"),
        Binding("ctrl+left", "widen(-1)", "Narrow the left side", show=False, id="pane.narrower"),
        _everywhere("ctrl+r", "restart_engine", "Restart the engine", id="app.restart_engine"),
    ]

    active_model: reactive[str | None] = reactive(None)
    current_pane: reactive[str] = reactive("catalog")

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self._client = services.client
        self._desk = Desk(self, services)
        self._is_maximised = False
        self._layout = Layout()

    @property
    def chat(self) -> ChatPane:
        """The chat pane."""
        return self.query_one(ChatPane)

    @property
    def catalog(self) -> CatalogPane:
        """The catalog pane."""
        return self.query_one(CatalogPane)

    def compose(self) -> ComposeResult:
        yield ResourceStrip(id="strip")
        yield Static(id="tabs", markup=False)
        with Horizontal(id="panes"):
            with Vertical(id="left"):
                care = self._services.care
                yield CatalogPane(self._client, id="catalog", downloads=care.downloads if care else None)
                yield CachePane(
                    self._client,
                    id="cache",
                    cache=care.cache if care else None,
                    health=care.health if care else None,
                    downloads=care.downloads if care else None,
                    remove_partial=care.runner.remove_partial if care else None,
                    on_repair=care.repair if care else None,
                    switch=care.move_to if care else None,
                    space=care.space if care else None,
                )
            yield ChatPane(self._services, id="chat").data_bind(WorkspaceScreen.active_model)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Name the panes; everything slow begins after the first frame."""
        for name, title in PANES:
            self.query_one(f"#{name}").border_title = title
        setup = self._services.setup
        self._strip_timer = self.set_interval(1 / setup.strip_hz, self.show_resources)
        self.show_resources()
        self.apply(setup)
        self.action_show_pane("chat" if setup.start_with else "catalog")
        self._show_tabs()
        self.call_after_refresh(self._bring_up)

    def apply(self, setup: Setup) -> None:
        """Take what the settings say about the screen."""
        self.chat.apply(setup)
        self.chat.ribbon.plain = setup.plain_ribbon or bool(os.environ.get("NO_COLOR"))

    def watch_current_pane(self, name: str) -> None:
        """Mark the pane; where there is room for one only, it is this one."""
        for other, _ in PANES:
            self.query_one(f"#{other}").set_class(other == name, "-current")
        self.query_one("#left").set_class(name != "chat", "-current")
        self._show_tabs()

    def on_descendant_focus(self) -> None:
        """The pane with the focus is the current one."""
        node: Widget | None = self.focused
        while node is not None and node.id not in dict(PANES):
            node = node.parent if isinstance(node.parent, Widget) else None
        if node is not None and node.id is not None:
            self.current_pane = node.id

    def actions(self, keys: dict[str, str]) -> Iterator[tuple[str, DOMNode, list[Action]]]:
        """Every place with its title, what it is, and what can be done there."""
        for title, place in self._places():
            yield title, place, actions_of(type(place), keys)

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
        """Leave the filter, a search or an edit; else restore a maximised pane."""
        if self.current_pane == "catalog" and self.catalog.leave_filter():
            return
        if self.query_one(CachePane).stop_check():
            return
        if not self.chat.leave_mode():
            self._set_maximised(False)

    def action_jump(self) -> None:
        """Show a letter at every place; the next key goes there."""

        def go(target: Widget | None) -> None:
            if target is not None:
                target.focus()

        self.app.push_screen(JumpScreen(targets_of(self.focus_chain)), go)

    def action_find(self) -> None:
        """Search in the conversation."""
        self.current_pane = "chat"
        self.chat.find()

    def action_chat_options(self) -> None:
        """Set what the next requests carry."""

        def take(options: ChatOptions | None) -> None:
            if options is not None:
                self.chat.options = options

        self.app.push_screen(ChatOptionsScreen(self.chat.options), take)

    def action_conversations(self) -> None:
        """List, search and reopen what was said."""
        self._desk.conversations(self.chat)

    def action_prompts(self) -> None:
        """Pick a saved prompt, or save the one that is being written."""
        self._desk.prompts(self.chat, self._show_chat)

    def action_attach(self) -> None:
        """Send a text file along with the next prompt."""
        self._desk.attach(self.chat)

    def _show_chat(self) -> None:
        self.current_pane = "chat"
        self.chat.focus_prompt()

    def action_ribbon(self) -> None:
        """Show or hide the time between tokens."""
        self._arrange(replace(self._layout, shows_ribbon=not self._layout.shows_ribbon))

    def action_widen(self, steps: int) -> None:
        """Give the left side more room, or less."""
        percent = self._layout.left_percent + steps * _RESIZE_PERCENT
        self._arrange(replace(self._layout, left_percent=max(NARROWEST_LEFT, min(percent, WIDEST_LEFT))))

    def action_log(self) -> None:
        """Show what the app and the engine logged."""
        self._desk.log()

    def action_endpoints(self) -> None:
        """Choose where models run."""
        self._desk.endpoints()

    def action_choose(self) -> None:
        """Choose among the models of the newest run."""
        self._desk.choose((), is_plain=self.chat.ribbon.plain)

    def action_bench(self) -> None:
        """Show the benchmark under way, or plan one."""
        self._desk.bench(self.catalog.marked, self.active_model, is_plain=self.chat.ribbon.plain)

    def action_beside(self) -> None:
        """Ask what is written of two to four models at once."""
        self._desk.beside(self.chat, self.catalog.marked, self.active_model)

    def action_resources(self) -> None:
        """Show what is used of the machine, and what happens meanwhile."""
        self._desk.resources(is_plain=self.chat.ribbon.plain)

    def action_downloads(self) -> None:
        """Show the queue of downloads."""
        self._desk.downloads()

    def action_providers(self) -> None:
        """Show and fetch execution providers."""
        self._desk.providers()

    def action_connect(self) -> None:
        """Show how other programs use what runs."""
        self._desk.connect(self.active_model)

    def action_validate(self) -> None:
        """Check every target model."""
        self._desk.validate()

    def action_restart_engine(self) -> None:
        """Stop the engine, start it anew, and load again what was loaded."""
        self.chat.stop()
        self._restart()

    def help_sections(self, keys: dict[str, str]) -> list[HelpSection]:
        """What can be done from where the focus is outwards, then elsewhere, then what engine this is."""
        here = set(self.focused.ancestors_with_self) if self.focused is not None else set()
        info = self._client.engine_info
        engine = [] if info is None else [HelpSection(title="This engine", facts=engine_facts(info))]
        return [*place_help(self.actions(keys), here), *engine]

    @on(ModelActivated)
    def _activated(self, message: ModelActivated) -> None:
        message.stop()
        self.active_model = message.model_id
        self.action_show_pane("chat")

    @on(DownloadWanted)
    def _download_wanted(self, message: DownloadWanted) -> None:
        message.stop()
        self._desk.offer_called(message.model_id)

    @on(ModelDetailWanted)
    @on(RaceWanted)
    @work(exclusive=True, group="wanted")
    async def _wanted(self, message: ModelDetailWanted | RaceWanted) -> None:
        message.stop()
        if isinstance(message, RaceWanted):
            await self._desk.race(message.model_id, is_plain=self.chat.ribbon.plain)
        else:
            await self._desk.detail(message.model_id)

    @on(ChatPane.Reopened)
    def _reopened(self, message: ChatPane.Reopened) -> None:
        message.stop()
        self.current_pane = "chat"
        if message.model_id is not None and self._client.catalog.value.find(message.model_id) is not None:
            self.active_model = message.model_id

    @on(CatalogPane.ViewChanged)
    def _view_changed(self, message: CatalogPane.ViewChanged) -> None:
        message.stop()
        view = message.view
        self._arrange(replace(self._layout, columns=view.columns, sort=view.sort, descending=view.descending))

    def _places(self) -> Iterator[tuple[str, DOMNode]]:
        yield "Everywhere", self.app
        yield "Workspace", self
        yield from ((title, self.query_one(place)) for title, place in _PLACES)

    def _bring_up(self) -> None:
        self._follow_engine()
        self._services.background.start("resource sampler", self._services.sampler.run())
        self._start()
        self._recall()
        self._warm_up()

    @work(thread=True, group="warm-up")
    def _warm_up(self) -> None:
        """Import what the first Markdown answer needs, so that it does not stutter."""
        importlib.import_module("foundry_tui.tui.widgets.markdown_render")

    @work(group="start")
    async def _start(self) -> None:
        if self._services.setup.start_with is not None:
            self.active_model = self._services.setup.start_with  # what is asked before it is up waits for it
        await self._client.show_snapshot()
        try:
            await self._client.start()
            leave_out()  # the list and the imports
            await self._load_wanted()
        except EngineError as error:
            complain(self, error)
            return
        self._client.refresh_soon()
        self._look_after()

    def _look_after(self) -> None:
        """Begin what goes on beside the chat for as long as the app runs."""
        services = self._services
        services.background.start("keep warm", services.keep_warm.run())
        self.run_worker(self._desk.tell_revivals(), group="revivals")
        if (care := services.care) is not None:
            services.background.start("model care", care.take_up())

    async def _load_wanted(self) -> None:
        """Load what the app was asked to begin with, unless the user has chosen something else meanwhile."""
        model_id = self._services.setup.start_with
        if model_id is not None and self.active_model == model_id:
            model = self._client.find(model_id)
            if not model.is_loaded and await is_load_wanted(self, self._client, model):
                self.chat.tell(load_words(await self._client.load(model_id)))

    @work(group="recall")
    async def _recall(self) -> None:
        """Bring back the layout."""
        layout = await self._services.layout.recall()
        if layout.columns:
            self.catalog.view = CatalogView(
                columns=layout.columns, sort=layout.sort, descending=layout.descending
            )
        self._arrange(layout)
        self.run_worker(self._desk.tell_lost_writes(), group="recorder")

    @work(exclusive=True, group="layout")
    async def _arrange(self, layout: Layout) -> None:
        if not self.is_attached:
            return  # the app was left while the layout was being recalled
        self._layout = layout
        self._fit_left()
        ribbon = self.chat.ribbon
        if ribbon.has_focus and not layout.shows_ribbon:
            self.chat.focus_prompt()  # what is hidden must not keep the focus
        ribbon.display = layout.shows_ribbon
        await self._services.layout.remember(layout)

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
            strip.engine = engine_words(state, self._desk.place)
            self.chat.show_engine(state)
            self.catalog.redraw()
            self.query_one(CachePane).redraw()

    def show_resources(self) -> None:
        """Show the newest readings, unless nothing may be painted."""
        if isinstance(top := self.app.screen, Overlay) and top.keeps_still:
            return
        self.query_one(ResourceStrip).parts = tuple(resource_parts(self._services.sampler.samples.value))

    def _set_maximised(self, is_maximised: bool) -> None:
        self._is_maximised = is_maximised
        self.set_class(is_maximised, "-maximised")
        self._fit_left()

    def on_resize(self) -> None:
        """A share of the width makes sense only where both sides show."""
        self._fit_left()

    def _fit_left(self) -> None:
        styles = self.query_one("#left").styles
        if self._is_maximised or self.has_class("-narrow"):
            styles.clear_rule("width")
        else:
            styles.width = f"{self._layout.left_percent}%"

    def _show_tabs(self) -> None:
        names = [f"[{title}]" if name == self.current_pane else f" {title} " for name, title in PANES]
        self.query_one("#tabs", Static).update(" ".join(names))
