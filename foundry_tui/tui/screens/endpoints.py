"""Where models run: the engines of this app, servers found on this machine, or an address typed in."""

import os
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label, Static

from foundry_tui.domain.engine import EndpointKind, EngineInfo, EngineReady
from foundry_tui.domain.errors import BadInput, FoundryTuiError
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.engine import KIND_NAMES, exposure_words, models_in_words, switch_words
from foundry_tui.reports.errors import error_words
from foundry_tui.services.client import ClientService
from foundry_tui.services.discovery import Discovery, FoundServer
from foundry_tui.tui.notices import tell
from foundry_tui.tui.presenters import engine_words
from foundry_tui.tui.screens.endpoint_rows import COLUMNS, OwnEngine, about, rows_of
from foundry_tui.tui.screens.overlay import ConfirmScreen, Overlay
from foundry_tui.tui.widgets.fields import LineField
from foundry_tui.tui.widgets.key_footer import KeyFooter
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.sheet import Paragraph, Sheet, Tone

__all__ = ["EndpointsScreen", "OwnEngine"]

_NAME_CHARACTERS = 70
# Longer than any variable's name that a person would choose, shorter than the keys of the usual services.
_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]{0,39}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """A server that is to be used.

    Attributes:
        url: As it was typed or found; only what the check answers is shown.
        key_env: Name of the variable with its key.
    """

    url: str
    key_env: str | None


class _Table(RowTable):
    """Its Enter is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "activate", "Use it", id="endpoints.use")]


class EndpointField(LineField):
    """Where an address is typed, and the name of a variable."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "screen.to_list", "To the list", id="endpoints.to_list", key_display="↑"),
    ]


class EndpointsScreen(Overlay[EngineInfo]):
    """Closes with what the new engine says of itself once it is used; without a result if nothing changed.

    Args:
        client: Tells which engine is up and what it has in memory.
        discovery: Looks for servers on this machine.
        own: The engines that need no looking for.
        current: Key of the own engine in use, else the base address of the server in use.
        check: Looks at an address, with the name of the variable that has the key, and changes nothing; None
            leaves it to the switch, which brings the new engine up before it gives up the old one.
        connect: Switches to a server, given the same; what it refuses leaves the engine in use as it is.
        is_set: Whether the environment has a variable of that name.
    """

    DEFAULT_CSS = """
    EndpointsScreen #endpoints-now { height: 1; text-overflow: ellipsis; text-wrap: nowrap; }
    EndpointsScreen #endpoints-table { height: 1fr; min-height: 4; }
    EndpointsScreen #endpoints-detail { height: 7; border-top: solid $panel; }
    EndpointsScreen .endpoints-field { height: 1; }
    EndpointsScreen .endpoints-field Label { width: 14; color: $text-muted; }
    EndpointsScreen .endpoints-field Input { width: 1fr; background: $panel; }
    EndpointsScreen #endpoints-state {
        height: 1; color: $text-muted; text-overflow: ellipsis; text-wrap: nowrap;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "address", "Type an address", id="endpoints.address"),
        Binding("r", "look", "Look again", id="endpoints.look"),
    ]

    def __init__(
        self,
        client: ClientService,
        discovery: Discovery,
        *,
        own: Sequence[OwnEngine],
        current: Callable[[], str],
        connect: Callable[[str, str | None], Awaitable[EngineInfo]],
        check: Callable[[str, str | None], Awaitable[FoundServer]] | None = None,
        is_set: Callable[[str], bool] = lambda name: bool(os.environ.get(name)),
    ) -> None:
        super().__init__()
        self._client = client
        self._discovery = discovery
        self._own = {one.key: one for one in own}
        self._current = current
        self._check = check
        self._connect = connect
        self._is_set = is_set
        self._working: str | None = None
        self._problem: FoundryTuiError | None = None

    @property
    def table(self) -> RowTable:
        """The list, what has the focus."""
        return self.query_one(RowTable)

    def compose(self) -> ComposeResult:
        with Vertical(id="endpoints-box", classes="full") as box:
            box.border_title = "Where models run"
            box.border_subtitle = "Tab ↔ list, text, fields · Esc closes"
            yield Static(id="endpoints-now", markup=False)
            yield _Table(COLUMNS, empty_text="Looking …", id="endpoints-table")
            yield Sheet(id="endpoints-detail")
            with Horizontal(classes="endpoints-field"):
                yield Label("Address")
                yield EndpointField(
                    placeholder="a  http://host:port/v1, then Enter", id="endpoints-address", compact=True
                )
            with Horizontal(classes="endpoints-field"):
                yield Label("Key variable")
                yield EndpointField(
                    placeholder="only if it wants a key: the name of an environment variable",
                    restrict=f"(?:{_VARIABLE})?",
                    id="endpoints-key",
                    compact=True,
                )
            yield Static(id="endpoints-state", markup=False)
        yield KeyFooter()

    def on_mount(self) -> None:
        """Show what is known, and look around."""
        self.table.focus()
        self._follow_engine()
        self._follow_neighbours()
        self._look()

    def escape(self) -> bool:
        """Give up a switch under way, else leave a field."""
        if self._working is not None:
            self.workers.cancel_group(self, "switch")
            return True
        if not self.table.has_focus:
            self.action_to_list()
            return True
        return False

    def action_address(self) -> None:
        """Type the address of a server."""
        self._field("address").focus()

    def action_to_list(self) -> None:
        """Leave the field as it is and go to the list."""
        self.table.focus()

    def action_look(self) -> None:
        """Look for servers on this machine again."""
        self._look()

    # --- what is shown

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        await self._discovery.look()

    @work(group="neighbours")
    async def _follow_neighbours(self) -> None:
        async for _ in self._discovery.neighbours.watch():
            self._redraw()

    @work(group="engine")
    async def _follow_engine(self) -> None:
        async for _ in self._client.engine_states():
            self._redraw()

    def _redraw(self) -> None:
        if not self.is_open:
            return
        current = self._current()
        own = self._own.get(current)
        words = engine_words(self._client.engine_state, clean_line(own.title if own else current))
        loaded = self._loaded()
        more = f" · {models_in_words(len(loaded))} in memory" if loaded else ""
        self.query_one("#endpoints-now", Static).update(f"In use: {words}{more}", layout=False)
        self.table.set_rows(rows_of(self._own.values(), self._servers(), current, self._client.engine_info))
        self._show_detail()
        self._show_state()

    def _show_detail(self) -> None:
        said: list[Paragraph] = []
        if self._problem is not None:
            text = f"{error_words(self._problem)}\nNothing was changed: what was in use still is."
            said.append(Paragraph(label="Problem", text=text, tone=Tone.PROBLEM))
        key = self.table.cursor_key
        if key is not None:
            own, server, info = self._own.get(key), self._server(key), self._client.engine_info
            fate = None if key == self._current() else self._fate()
            said += about(own if own is not None else key, server, info, fate=fate)
        self.query_one(Sheet).set_paragraphs(said)

    def _show_state(self) -> None:
        found = self._discovery.neighbours.value
        if self._working is not None:
            words = f"{self._working} …  Esc leaves it as it is"
        elif found.is_looking:
            words = "Looking for servers on this machine …"
        else:
            count = len(found.servers)
            servers = "server" if count == 1 else "servers"
            words = f"{count} {servers} found; r looks again, a takes any address"
        self.query_one("#endpoints-state", Static).update(words, layout=False)

    @on(RowTable.RowHighlighted)
    def _moved(self, message: RowTable.RowHighlighted) -> None:
        message.stop()
        self._show_detail()

    # --- what is done

    @on(RowTable.RowActivated)
    def _chosen(self, message: RowTable.RowActivated) -> None:
        message.stop()
        if self._is_working():
            return
        if message.key == self._current() and isinstance(self._client.engine_state, EngineReady):
            tell(self, "It is in use already")
        elif message.key in self._own:
            self._switch_to_own(self._own[message.key])
        else:
            self._switch(_Wish(url=message.key, key_env=None))

    @on(Input.Submitted)
    def _typed(self, message: Input.Submitted) -> None:
        message.stop()
        if self._is_working():
            return
        address, name = self._field("address").value.strip(), self._field("key").value.strip()
        if not address:
            self._field("address").focus()
            tell(self, "Type an address, such as http://127.0.0.1:5273/v1", is_warning=True)
            return
        try:
            wish = _Wish(url=address, key_env=self._variable(name))
        except BadInput as error:
            self._field("key").value = ""
            self._fail(error)
            return
        self._switch(wish)

    def _is_working(self) -> bool:
        if self._working is not None:
            tell(self, "One switch is under way: Esc gives it up")
        return self._working is not None

    def _variable(self, name: str) -> str | None:
        """``name``, if the environment has it; it may be a key that was pasted, so it is never repeated."""
        if not name:
            return None
        if re.fullmatch(_VARIABLE, name) is None or not self._is_set(name):
            raise BadInput(
                "the environment of this app has no variable of that name",
                remedy="set it to the key before the app is started, and type its name, not the key",
            )
        return name

    @work(exclusive=True, group="switch")
    async def _switch_to_own(self, own: OwnEngine) -> None:
        await self._work(lambda: self._use_own(own))

    @work(exclusive=True, group="switch")
    async def _switch(self, wish: _Wish) -> None:
        await self._work(lambda: self._use_server(wish))

    async def _work(self, use: Callable[[], Awaitable[EngineInfo | None]]) -> None:
        self._problem = None
        info: EngineInfo | None = None
        try:
            info = await use()
        except FoundryTuiError as error:
            self._fail(error)
        finally:
            self._say(None)
        if info is not None:
            count = len(self._client.catalog.value.models)
            tell(self, f"In use: {KIND_NAMES[info.kind]}, {models_in_words(count)}")
            self.dismiss(info)

    async def _use_own(self, own: OwnEngine) -> EngineInfo | None:
        if not await self._agrees(f"Use {own.title} from now on?", warning=None):
            return None
        self._say(f"Starting {own.title}")
        return await own.use()

    async def _use_server(self, wish: _Wish) -> EngineInfo | None:
        server = await self._looked_at(wish)
        if server is not None and server.wants_key and wish.key_env is None:
            # Should the keyring have none, only the name is left to be typed.
            self._field("address").value = server.url
        if not await self._agrees(_question(server), warning=exposure_words(wish.url)):
            return None
        self._say("Connecting")
        return await self._connect(wish.url, wish.key_env)

    async def _looked_at(self, wish: _Wish) -> FoundServer | None:
        """What answers there, as far as that can be known beforehand."""
        if self._check is None:
            return self._server(wish.url)
        self._say("Looking at the address")
        return await self._check(wish.url, wish.key_env)

    async def _agrees(self, question: str, *, warning: str | None) -> bool:
        """Ask where something would be lost or exposed; elsewhere nobody is asked."""
        loaded, kind = self._loaded(), self._kind()
        loses = bool(loaded) and kind in (EndpointKind.MANAGED, EndpointKind.SCRIPTED)
        if not loses and warning is None:
            return True
        self._say("Waiting for your answer")
        words = [question]
        if loses:
            words.append(f"\n{self._fate()}.")
        if warning is not None:
            words.append(f"\n{warning}")
        answer = await self.app.push_screen_wait(ConfirmScreen("\n".join(words), "Use it"))
        return answer is True

    def _fail(self, error: FoundryTuiError) -> None:
        self._problem = error
        if not self.is_open:
            return
        self._show_detail()
        self.query_one(Sheet).scroll_home(animate=False)

    def _say(self, words: str | None) -> None:
        self._working = words
        if self.is_open:
            self._show_detail()
            self._show_state()

    # --- what is known

    def _servers(self) -> tuple[FoundServer, ...]:
        """Those found, each address once."""
        by_url = {server.url: server for server in self._discovery.neighbours.value.servers}
        return tuple(by_url.values())

    def _server(self, key: str) -> FoundServer | None:
        return next((server for server in self._servers() if server.url == key), None)

    def _kind(self) -> EndpointKind | None:
        info = self._client.engine_info
        return None if info is None else info.kind

    def _loaded(self) -> list[str]:
        return [model.id for model in self._client.catalog.value.models if model.is_loaded]

    def _fate(self) -> str:
        return switch_words(self._kind(), self._loaded())

    def _field(self, name: str) -> Input:
        return self.query_one(f"#endpoints-{name}", Input)


def _question(server: FoundServer | None) -> str:
    # What was typed may hold a secret that only the check or the switch refuses: it is not repeated.
    if server is None:
        return "Use the server at the address that you typed from now on?"
    software = clean_line(server.software or KIND_NAMES[server.kind], _NAME_CHARACTERS)
    listed = "" if server.models is None else f", {models_in_words(server.models)}"
    return f"Use {clean_line(server.url, _NAME_CHARACTERS)} from now on?\nIt is {software}{listed}."
