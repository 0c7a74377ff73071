"""Every action that has a key, by that key: the table has a row for each, and each row is pressed."""

import importlib
import logging
import pkgutil
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.widget import Widget
from textual.widgets import DataTable, Input, TextArea

import foundry_tui.tui
from foundry_tui.domain.bench import BenchPlan, PlannedPrompt, RunStatus
from foundry_tui.domain.conversations import SavedPrompt
from foundry_tui.domain.downloads import DownloadState
from foundry_tui.domain.engine import ExecutionProvider
from foundry_tui.domain.models import CatalogSnapshot, ModelVariant, SnapshotOrigin
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from foundry_tui.metrics.measures import Measure
from foundry_tui.services.bench.state import BenchState, Step
from foundry_tui.services.scoring.session import ScoringSession
from foundry_tui.services.setup import LicensePolicy
from foundry_tui.tui.actions import Action, actions_of
from foundry_tui.tui.screens.bench.history import HistoryScreen
from foundry_tui.tui.screens.bench.page import BenchPage
from foundry_tui.tui.screens.bench.plan import BenchPlanScreen
from foundry_tui.tui.screens.bench.replay import ReplayScreen
from foundry_tui.tui.screens.bench.requests import RequestScreen, RequestsScreen
from foundry_tui.tui.screens.bench.runs import RunsScreen
from foundry_tui.tui.screens.bench.screen import BenchScreen
from foundry_tui.tui.screens.bench.views import View
from foundry_tui.tui.screens.beside.ask import BesideAskScreen
from foundry_tui.tui.screens.beside.screen import BesideScreen
from foundry_tui.tui.screens.choose.screen import ChooseScreen
from foundry_tui.tui.screens.columns import ColumnsScreen
from foundry_tui.tui.screens.compare import CompareScreen
from foundry_tui.tui.screens.connect import ConnectScreen
from foundry_tui.tui.screens.conversations import ConversationsScreen
from foundry_tui.tui.screens.download_offer import DownloadOfferScreen
from foundry_tui.tui.screens.download_pages import DownloadDetailScreen
from foundry_tui.tui.screens.downloads import DownloadsScreen
from foundry_tui.tui.screens.endpoints import EndpointsScreen
from foundry_tui.tui.screens.help import HelpScreen
from foundry_tui.tui.screens.jump import JumpScreen
from foundry_tui.tui.screens.load_question import LoadQuestionScreen
from foundry_tui.tui.screens.log import LogScreen
from foundry_tui.tui.screens.overlay import ChatOptionsScreen, ConfirmScreen, DetailScreen
from foundry_tui.tui.screens.paths import PathScreen
from foundry_tui.tui.screens.prompt_form import GapField, GapsScreen, PromptForm
from foundry_tui.tui.screens.prompts import PromptsScreen
from foundry_tui.tui.screens.providers import ProvidersScreen
from foundry_tui.tui.screens.resources import ResourcesScreen
from foundry_tui.tui.screens.scoring.answers import AnswersScreen
from foundry_tui.tui.screens.scoring.pairs import PairsScreen
from foundry_tui.tui.screens.scoring.results import ResultsScreen
from foundry_tui.tui.screens.scoring.rubric import RubricScreen
from foundry_tui.tui.screens.scoring.start import ScoringStartScreen
from foundry_tui.tui.screens.settings import SettingsScreen
from foundry_tui.tui.screens.tagging import LineScreen, TagsScreen
from foundry_tui.tui.screens.validation import ValidationScreen
from foundry_tui.tui.widgets.row_table import RowTable
from foundry_tui.tui.widgets.setting_field import SettingField
from foundry_tui.tui.widgets.sheet import Sheet
from tests.support.memory_store import MemoryStore
from tests.support.scales import Scales
from tests.support.scores import RUBRIC
from tests.support.slowing import SlowingScript
from tests.support.supervised import SupervisedScript
from tests.support.timed import request, trace
from tests.tui.benched import running
from tests.tui.beside import beside
from tests.tui.choosing import kept as kept_runs
from tests.tui.engine_screens import (
    MANAGED_INFO,
    Around,
    Presented,
    Server,
    opened,
    providers_screen,
    validation_screen,
)
from tests.tui.harness import MEDIUM, NARROW, SHELF, WIDE, Driven, driven
from tests.tui.kept import SORTING, conversation, turn
from tests.tui.machine_screens import Machine, busy_session
from tests.tui.queued import GIB, NOON_MS, entry, queued, variant
from tests.tui.scored import scored

CODE = "First:\n\n```python\none = 1\n```\n\nSecond:\n\n```python\ntwo = 2\n```\n"
CODING = conversation("coding", "Two blocks", turn("u-c", None, "Show me code"), turn("a-c", "u-c", CODE))
Do = Callable[[Driven], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """One action by its key.

    Attributes:
        before: Keys that lead to where the action can be done, from where the row before it ended.
        holds: What must be so afterwards; handed what ``was`` gave before the key.
        after: Keys that lead back.
    """

    id: str
    key: str
    holds: Callable[[Driven, object], bool]
    was: Callable[[Driven], object] = lambda user: None
    before: Sequence[str] = ()
    after: Sequence[str] = ()


def on(screen: type[Widget]) -> Callable[[Driven, object], bool]:
    return lambda user, was: isinstance(user.app.screen, screen)


def opens(action_id: str, key: str, screen: type[Widget]) -> Pressed:
    return Pressed(id=action_id, key=key, holds=on(screen), after=["escape"])


def at(selector: str) -> Callable[[Driven, object], bool]:
    return lambda user, was: user.app.screen.query_one(selector).has_focus


def told(words: str) -> Callable[[Driven, object], bool]:
    return lambda user, was: words in user.words_told


def copied(text: str) -> Callable[[Driven, object], bool]:
    return lambda user, was: user.app.clipboard.strip() == text


def left_width(user: Driven) -> int:
    return user.workspace.query_one("#left").size.width


def cursor(user: Driven) -> object:
    return user.chat.transcript.cursor_key


def match(user: Driven) -> object:
    return user.chat.transcript.search_state.current


def code_at_cursor(user: Driven) -> object:
    """The line of code that carries the mark of the code cursor."""
    return next(
        (
            line.partition("█")[2].strip()
            for line in user.lines()
            if "█one" in _packed(line) or "█two" in _packed(line)
        ),
        None,
    )


def _packed(line: str) -> str:
    return line.replace(" ", "")


def chunk(user: Driven) -> int:
    return user.chat.ribbon.cursor if user.chat.ribbon.cursor is not None else -1


def columns(user: Driven) -> list[str]:
    assert isinstance(user.app.screen, ColumnsScreen)
    return [row.key for row in user.app.screen.table.rows]


def shown_columns(user: Driven) -> list[str]:
    assert isinstance(user.app.screen, ColumnsScreen)
    return [row.key for row in user.app.screen.table.rows if row.cells[0]]


def value(key: str) -> Callable[[Driven], str]:
    """What the settings screen shows for ``key``."""

    def shown(user: Driven) -> str:
        assert isinstance(user.app.screen, SettingsScreen)
        return next(row.cells[2] for row in user.app.screen.table.rows if row.key == key)

    return shown


def becomes(look: Callable[[Driven], object], wanted: object) -> Callable[[Driven, object], bool]:
    return lambda user, was: look(user) == wanted


def changes(look: Callable[[Driven], object]) -> Callable[[Driven, object], bool]:
    return lambda user, was: look(user) != was


def moved(look: Callable[[Driven], int], by: int) -> Callable[[Driven, object], bool]:
    return lambda user, was: look(user) == was + by if isinstance(was, int) else False


def shows(words: str) -> Callable[[Driven, object], bool]:
    return lambda user, was: user.shows(words)


def is_loaded(user: Driven) -> object:
    return bool(user.is_loaded(MEDIUM)) and not user.client.jobs.value


CATALOG = (
    Pressed(id="models.load", key="l", holds=becomes(is_loaded, True)),
    Pressed(id="models.unload", key="u", holds=becomes(is_loaded, False)),
    Pressed(id="catalog.filter", key="slash", holds=at("#catalog-filter")),
    Pressed(id="catalog.to_rows", key="down", holds=at("#catalog-table")),
    Pressed(id="catalog.mark", key="space", holds=lambda user, was: len(user.catalog.marked) == 1),
    Pressed(
        id="catalog.compare", key="c", before=["down", "space"], holds=on(CompareScreen), after=["escape"]
    ),
    Pressed(id="catalog.clear_marks", key="x", holds=lambda user, was: user.catalog.marked == ()),
    Pressed(id="catalog.sort", key="s", holds=lambda user, was: user.catalog.view.sort is not None),
    Pressed(id="catalog.reverse", key="S", holds=lambda user, was: user.catalog.view.descending),
    Pressed(id="catalog.columns", key="o", holds=on(ColumnsScreen)),
    Pressed(
        id="columns.toggle", key="space", before=["down"], was=shown_columns, holds=changes(shown_columns)
    ),
    Pressed(id="columns.up", key="K", was=columns, holds=changes(columns)),
    Pressed(id="columns.down", key="J", was=columns, holds=changes(columns)),
    Pressed(id="columns.defaults", key="d", before=["K"], was=columns, holds=changes(columns)),
    Pressed(id="columns.apply", key="enter", holds=lambda user, was: user.app.screen is user.workspace),
    opens("models.detail", "i", DetailScreen),
    Pressed(
        id="models.download",
        key="d",
        before=["end"],
        holds=lambda user, was: told("is here already")(user, was) or on(DownloadOfferScreen)(user, was),
        after=["escape"],
    ),
    opens("app.help_outside_text", "question_mark", HelpScreen),
    Pressed(
        id="pane.wider", key="ctrl+right", was=left_width, holds=lambda user, was: left_width(user) != was
    ),
    Pressed(id="pane.narrower", key="ctrl+left", was=left_width, holds=changes(left_width)),
    Pressed(id="pane.cache", key="2", holds=at("#cache-table")),
    Pressed(id="pane.chat", key="3", holds=at("#prompt")),
    Pressed(id="pane.catalog", key="1", before=["alt+2"], holds=at("#catalog-table")),
)


def row(user: Driven) -> int:
    keys = [row.key for row in user.catalog.table.rows]
    return keys.index(user.catalog.table.cursor_key or "")


ROWS = (
    Pressed(id="table.first", key="home", before=["end"], holds=becomes(row, 0)),
    Pressed(id="table.last", key="end", holds=becomes(row, 99)),
    Pressed(id="table.up", key="up", holds=becomes(row, 98)),
    Pressed(id="table.down", key="down", holds=becomes(row, 99)),
    Pressed(id="table.page_up", key="pageup", was=row, holds=changes(row)),
    Pressed(id="table.page_down", key="pagedown", was=row, holds=changes(row)),
    Pressed(
        id="table.open",
        key="enter",
        holds=lambda user, was: user.workspace.active_model in [model.id for model in MANY],
    ),
)


def variants_scrolled(user: Driven) -> int:
    return round(user.app.screen.query_one(DataTable).scroll_x)


COMPARED = (
    Pressed(
        id="compare.right",
        key="right",
        was=variants_scrolled,
        holds=lambda user, was: variants_scrolled(user) > 0,
    ),
    Pressed(id="compare.left", key="left", holds=becomes(variants_scrolled, 0)),
)
MANY: tuple[ModelVariant, ...] = tuple(
    replace(SHELF[1], id=f"row-{number:02}-generic-cpu:1", is_cached=None) for number in range(100)
)
REFRESHED = Pressed(id="catalog.refresh", key="r", holds=lambda user, was: len(user.catalog.table.rows) > 3)
HIDDEN_RIBBON = Pressed(id="chat.ribbon", key="f6", holds=lambda user, was: not user.chat.ribbon.display)
PROMPT = (
    Pressed(id="prompt.new_line", key="ctrl+j", holds=lambda user, was: user.prompt.text == "\n"),
    Pressed(
        id="prompt.send",
        key="enter",
        before=["h", "i"],
        holds=lambda user, was: len(user.engine.seen) == 1 and not user.chat.is_generating,
    ),
    Pressed(id="prompt.earlier", key="ctrl+up", holds=lambda user, was: user.prompt.text == "\nhi"),
    Pressed(id="prompt.later", key="ctrl+down", holds=lambda user, was: user.prompt.text == ""),
    opens("app.help", "f1", HelpScreen),
    opens("app.settings", "f2", SettingsScreen),
    opens("app.log", "f4", LogScreen),
    opens("app.endpoints", "f3", EndpointsScreen),
    opens("app.bench", "alt+4", BenchScreen),
    opens("app.resources", "alt+5", ResourcesScreen),
    opens("app.choose", "alt+7", ChooseScreen),
    opens("app.beside", "alt+6", BesideAskScreen),
    opens("app.downloads", "f8", DownloadsScreen),
    opens("app.providers", "f9", ProvidersScreen),
    opens("app.connect", "f10", ConnectScreen),
    opens("app.validate", "f12", ValidationScreen),
    opens("app.jump", "ctrl+g", JumpScreen),
    opens("app.conversations", "ctrl+l", ConversationsScreen),
    opens("app.prompts", "ctrl+t", PromptsScreen),
    opens("chat.attach", "f5", PathScreen),
    Pressed(id="chat.options", key="ctrl+o", holds=on(ChatOptionsScreen)),
    Pressed(id="options.save", key="ctrl+s", holds=lambda user, was: user.app.screen is user.workspace),
    Pressed(id="chat.new", key="ctrl+n", holds=lambda user, was: user.transcript.strip() == ""),
    Pressed(id="app.restart_engine", key="ctrl+r", holds=lambda user, was: user.engine.starts == 2),
)
READING = (
    Pressed(id="transcript.previous_message", key="[", was=cursor, holds=changes(cursor)),
    Pressed(id="transcript.next_message", key="]", before=["["], was=cursor, holds=changes(cursor)),
    Pressed(id="transcript.copy_message", key="c", holds=copied(CODE.strip())),
    Pressed(
        id="transcript.fold",
        key="space",
        holds=lambda user, was: "one = 1" not in user.transcript,
        after=["space"],
    ),
    Pressed(id="transcript.copy_code", key="b", holds=copied("two = 2")),
    Pressed(id="transcript.next_code", key="}", was=code_at_cursor, holds=changes(code_at_cursor)),
    Pressed(id="transcript.previous_code", key="{", was=code_at_cursor, holds=changes(code_at_cursor)),
    Pressed(id="transcript.search", key="slash", holds=at("#find-text"), after=["o", "n", "e", "enter"]),
)
SORTED = (
    Pressed(
        id="transcript.fold_all",
        key="Z",
        holds=lambda user, was: "more rows" in user.transcript,
        after=["Z"],
    ),
    Pressed(
        id="transcript.fold_reasoning",
        key="t",
        was=lambda user: user.transcript,
        holds=changes(lambda user: user.transcript),
    ),
    Pressed(id="chat.branch_before", key="less_than_sign", holds=shows("branch 1 of 2")),
    Pressed(id="chat.branch_after", key="greater_than_sign", holds=shows("branch 2 of 2")),
    Pressed(id="chat.edit", key="e", holds=shows("editing"), after=["escape", "shift+tab", "shift+tab"]),
)
FOUND = (
    Pressed(
        id="chat.find",
        key="ctrl+f",
        holds=at("#find-text"),
        after=[*"sort", "enter"],
    ),
    Pressed(id="find.next", key="down", was=match, holds=changes(match)),
    Pressed(id="find.previous", key="up", was=match, holds=changes(match)),
)
MATCHES = (
    Pressed(id="transcript.next_match", key="n", was=match, holds=changes(match)),
    Pressed(id="transcript.previous_match", key="N", was=match, holds=changes(match)),
)
AGAIN = Pressed(
    id="chat.regenerate",
    key="g",
    holds=lambda user, was: len(user.engine.seen) == 1 and not user.chat.is_generating,
)
RIBBON = (
    Pressed(id="ribbon.cursor", key="enter", holds=lambda user, was: chunk(user) >= 0),
    Pressed(id="ribbon.last", key="end", before=["home"], was=chunk, holds=changes(chunk)),
    Pressed(id="ribbon.left", key="left", was=chunk, holds=moved(chunk, -1)),
    Pressed(id="ribbon.right", key="right", was=chunk, holds=moved(chunk, 1)),
    Pressed(id="ribbon.left_ten", key="shift+left", was=chunk, holds=moved(chunk, -10)),
    Pressed(id="ribbon.right_ten", key="shift+right", was=chunk, holds=moved(chunk, 10)),
    Pressed(id="ribbon.first", key="home", holds=becomes(chunk, 0)),
    Pressed(id="ribbon.next_stall", key="n", was=chunk, holds=changes(chunk)),
    Pressed(id="ribbon.previous_stall", key="N", before=["end"], was=chunk, holds=changes(chunk)),
    Pressed(
        id="ribbon.plain",
        key="p",
        was=lambda user: user.chat.ribbon.plain,
        holds=changes(lambda user: user.chat.ribbon.plain),
    ),
)
CONVERSATIONS = (
    Pressed(id="conversations.search", key="slash", holds=at("#conversations-filter"), after=["escape"]),
    opens("conversations.tags", "t", TagsScreen),
    opens("conversations.rename", "m", LineScreen),
    opens("conversations.export", "e", PathScreen),
    opens("conversations.import", "i", PathScreen),
    opens("conversations.delete", "d", ConfirmScreen),
)
OPENED = Pressed(
    id="conversations.open",
    key="enter",
    holds=lambda user, was: user.app.screen is user.workspace and "one = 1" in user.conversation,
)
LOOKED_AGAIN = Pressed(id="conversations.reload", key="r", holds=shows(CODING.title))
PROMPTS = (
    Pressed(id="prompts.filter", key="slash", holds=at("#prompts-filter"), after=["escape"]),
    opens("prompts.new", "n", PromptForm),
    opens("prompts.save_draft", "s", PromptForm),
    opens("prompts.edit", "e", PromptForm),
    opens("prompts.delete", "d", ConfirmScreen),
)
SAVED = Pressed(
    id="prompts.save",
    key="ctrl+s",
    before=["!"],
    holds=lambda user, was: isinstance(user.app.screen, PromptsScreen) and user.shows("!one"),
)


def gaps(user: Driven) -> list[GapField]:
    return list(user.app.screen.query(GapField))


GAPS = (
    Pressed(id="prompts.use", key="enter", holds=on(GapsScreen)),
    Pressed(id="gaps.new_line", key="ctrl+j", holds=lambda user, was: gaps(user)[0].text == "\n"),
    Pressed(id="gaps.next", key="enter", before=["x"], holds=lambda user, was: gaps(user)[1].has_focus),
    Pressed(
        id="gaps.insert", key="ctrl+s", before=["y"], holds=lambda user, was: user.prompt.text == "\nx and y"
    ),
)
AS_IT_STANDS = Pressed(
    id="gaps.as_it_stands",
    key="ctrl+t",
    holds=lambda user, was: user.prompt.text == "{{this}} and {{that}}",
)
READ_AGAIN = Pressed(id="prompts.reload", key="r", holds=shows("2 prompts"))


def field(user: Driven) -> str:
    assert isinstance(user.app.focused, Input)
    return user.app.focused.value


COMPLETED_PATH = Pressed(id="path.complete", key="tab", before=["n"], holds=becomes(field, "notes.md"))
COMPLETED_TAG = Pressed(id="tags.complete", key="tab", before=["p"], holds=becomes(field, "python, "))


def log_line(user: Driven) -> int:
    assert isinstance(user.app.screen, LogScreen)
    view = user.app.screen.log_lines
    return [line is view.cursor_line for line in view.lines].index(True)


def last_log_line(user: Driven) -> int:
    assert isinstance(user.app.screen, LogScreen)
    return len(user.app.screen.log_lines.lines) - 1


LOG = (
    Pressed(id="log.info", key="2", holds=shows("info and worse")),
    Pressed(id="log.warning", key="3", holds=shows("warning and worse")),
    Pressed(id="log.error", key="4", holds=shows("error and worse")),
    Pressed(id="log.debug", key="1", holds=shows("all levels")),
    Pressed(id="log.copy", key="y", holds=lambda user, was: "was logged" in user.app.clipboard),
    Pressed(id="log.filter", key="slash", holds=at("#log-filter"), after=["escape"]),
    Pressed(id="log.write", key="w", holds=told("written to")),
    Pressed(id="log.first", key="home", holds=becomes(log_line, 0)),
    Pressed(id="log.down", key="down", was=log_line, holds=moved(log_line, 1)),
    Pressed(id="log.page_down", key="pagedown", was=log_line, holds=lambda user, was: log_line(user) > 2),
    Pressed(id="log.page_up", key="pageup", holds=becomes(log_line, 1)),
    Pressed(
        id="log.last", key="end", was=log_line, holds=lambda user, was: log_line(user) == last_log_line(user)
    ),
    Pressed(id="log.up", key="up", was=log_line, holds=moved(log_line, -1)),
    Pressed(id="log.lines", key="down", before=["slash", *"word"], holds=at("#log-lines")),
    Pressed(id="log.open", key="enter", holds=shows("to the end"), after=["escape"]),
)
SETTINGS = (
    Pressed(
        id="settings.new_line",
        key="ctrl+j",
        before=["enter"],
        holds=lambda user, was: user.app.screen.query_one(SettingField).text == "\n",
        after=["escape"],
    ),
    Pressed(id="settings.filter", key="slash", holds=at("#settings-filter"), after=[*"chat.save", "enter"]),
    Pressed(id="settings.next", key="space", holds=becomes(value("chat.save"), "false")),
    Pressed(id="settings.previous", key="left", holds=becomes(value("chat.save"), "true")),
    Pressed(id="settings.edit", key="enter", holds=becomes(value("chat.save"), "false")),
    Pressed(id="settings.undo", key="u", holds=becomes(value("chat.save"), "true")),
    Pressed(id="settings.reset", key="r", before=["space"], holds=becomes(value("chat.save"), "true")),
    Pressed(
        id="settings.save",
        key="ctrl+s",
        before=["space"],
        holds=lambda user, was: user.app.screen is user.workspace,
    ),
)


def newly_told(words: str) -> Callable[[Driven, object], bool]:
    """Something more was told than before, and it says ``words``."""
    return lambda user, was: len(user.told) != was and words in user.told[-1].message


def cache_key(action_id: str, key: str, words: str = "server's own disk") -> Pressed:
    return Pressed(id=action_id, key=key, was=lambda user: len(user.told), holds=newly_told(words))


# Without a disk each key says why it does nothing; what they do with one stands in test_cache_pane.
CACHE = (
    cache_key("cache.remove", "delete"),
    cache_key("cache.verify", "v"),
    cache_key("cache.verify_all", "V"),
    cache_key("cache.repair", "R"),
    cache_key("cache.move", "m"),
    cache_key("cache.folder", "f", "no folder of it is known"),
)


def queue_cell(user: Driven, key: str, column: str) -> str:
    """What stands in the queue of downloads in that row; empty where there is no such row."""
    table = user.app.screen.query_one(RowTable)
    place = [one.key for one in table.columns].index(column)
    return next((row.cells[place] for row in table.rows if row.key == key), "")


def queue_state(words: str) -> Callable[[Driven, object], bool]:
    return lambda user, was: queue_cell(user, "a", "state").startswith(words)


DOWNLOADS = (
    opens("downloads.detail", "v", DownloadDetailScreen),
    Pressed(id="downloads.pause", key="p", holds=queue_state("paused")),
    Pressed(id="downloads.retry", key="r", holds=queue_state("queued")),
    Pressed(id="downloads.quiet", key="n", holds=queue_state("at ")),
    Pressed(
        id="downloads.outlive", key="o", holds=lambda user, was: user.shows("goes on when the app is quit")
    ),
    Pressed(id="downloads.down", key="J", holds=lambda user, was: queue_cell(user, "a", "place") == "2"),
    Pressed(id="downloads.up", key="K", holds=lambda user, was: queue_cell(user, "a", "place") == "1"),
    Pressed(id="downloads.clear", key="c", holds=lambda user, was: not queue_cell(user, "c", "model")),
    Pressed(id="downloads.cancel", key="x", holds=queue_state("cancelled")),
)
OFFER = (
    Pressed(id="offer.quiet", key="n", holds=lambda user, was: user.shows("[x] n")),
    Pressed(id="offer.outlive", key="o", holds=lambda user, was: user.shows("[x] o")),
    Pressed(id="offer.arithmetic", key="m", holds=lambda user, was: not user.shows("weights packed")),
    Pressed(id="offer.download", key="d", holds=told("a accepts it")),
)
LOOKED_FOR_ROOM = Pressed(id="offer.again", key="r", holds=lambda user, was: user.shows("48.9 GiB stay free"))
ACCEPTED = Pressed(
    id="offer.accept", key="a", holds=lambda user, was: not isinstance(user.app.screen, DownloadOfferScreen)
)


SMALL = "small-instruct-generic-cpu:1"
LITTLE = replace(next(model for model in SHELF if model.id == SMALL), id="little-generic-cpu:1")
ROOM_MADE = Pressed(
    id="load.make_room",
    key="u",
    holds=lambda user, was: bool(user.is_loaded(SMALL)) and not user.is_loaded(LITTLE.id),
)
LOADED_ANYWAY = Pressed(id="load.anyway", key="y", holds=lambda user, was: bool(user.is_loaded(LITTLE.id)))


def selected(user: Driven) -> object:
    assert isinstance(user.app.screen, ConnectScreen)
    snippet = user.app.screen.snippet
    return None if snippet is None else snippet.text


SWITCHED = Pressed(id="endpoints.use", key="enter", holds=lambda user, was: user.app.screen is user.workspace)
ENDPOINTS = (
    Pressed(id="endpoints.address", key="a", holds=at("#endpoints-address")),
    Pressed(id="endpoints.to_list", key="up", holds=at("#endpoints-table")),
    Pressed(id="endpoints.look", key="r", holds=shows("2 servers found")),
)
CONNECT = (
    Pressed(id="connect.python", key="2", was=selected, holds=changes(selected)),
    Pressed(id="connect.vscode", key="3", was=selected, holds=changes(selected)),
    Pressed(id="connect.curl", key="1", was=selected, holds=changes(selected)),
    Pressed(id="connect.copy", key="c", holds=lambda user, was: user.app.clipboard.startswith("curl")),
    Pressed(id="connect.copy_address", key="a", holds=copied("http://127.0.0.1:43117/v1")),
    Pressed(id="connect.model", key="m", was=selected, holds=changes(selected)),
)
PROVIDERS = (
    Pressed(id="providers.look", key="r", holds=shows("WebGpuExecutionProvider")),
    Pressed(id="providers.register", key="enter", holds=on(ConfirmScreen), after=["escape"]),
    Pressed(id="providers.register_all", key="A", holds=on(ConfirmScreen), after=["escape"]),
)
CHECKED = Pressed(id="validation.run", key="r", holds=shows("1 of 1 passed"))
PLAN = (
    Pressed(id="bench.plan", key="n", holds=on(BenchPlanScreen)),
    Pressed(id="plan.mark", key="space", before=["home"], holds=shows("6 timed = 1 model")),
    Pressed(id="plan.mark_all", key="a", holds=shows("18 timed = 3 models"), after=["a", "space"]),
    Pressed(id="plan.next_set", key="p", holds=shows("set: summarize"), after=["p"]),
    Pressed(id="plan.targets", key="j", holds=shows("models.json has no model for chats")),
    Pressed(id="plan.goodput", key="g", holds=shows("goodput: chat"), after=["g", "g", "g"]),
    Pressed(id="plan.deterministic", key="d", holds=shows("[x] d")),
    Pressed(id="plan.cold_start", key="c", holds=shows("[x] c")),
    Pressed(id="plan.blocked", key="m", holds=shows("[x] m")),
    Pressed(id="plan.begin", key="b", holds=lambda user, was: user.services.bench.is_running),
)

RACE = (
    Pressed(id="models.race", key="b", holds=on(BenchPlanScreen)),
    opens("plan.offer", "o", DownloadOfferScreen),
)


def bench_page(user: Driven) -> BenchPage:
    return user.app.screen.query_one(BenchPage)


BENCH = (
    Pressed(id="bench.view", key="w", holds=lambda user, was: bench_page(user).views.view is View.HISTOGRAMS),
    Pressed(
        id="bench.measure", key="m", holds=lambda user, was: bench_page(user).views.measure is Measure.TTFT
    ),
    Pressed(id="bench.paint", key="o", holds=lambda user, was: bench_page(user).is_blank, after=["o"]),
    Pressed(id="bench.pause", key="p", holds=lambda user, was: bench_state(user).pauses),
    opens("bench.skip", "s", ConfirmScreen),
    opens("bench.stop", "x", ConfirmScreen),
    Pressed(id="bench.stop_after", key="a", holds=lambda user, was: bench_state(user).stops),
)


def replay(user: Driven) -> ReplayScreen:
    assert isinstance(user.app.screen, ReplayScreen)
    return user.app.screen


def replay_at(user: Driven) -> int:
    return replay(user).moment.at_ns


def replay_row(user: Driven) -> int:
    return round(replay(user).sheet.scroll_y)


def replayed(user: Driven) -> int:
    return replay(user).request.number


# The clock stands still, so that only keys move it: text every 100 ms, from 500 ms on a stall, 4 s in all.
REPLAY = (
    Pressed(id="replay.play", key="space", holds=lambda user, was: not replay(user).is_playing),
    Pressed(id="replay.next_chunk", key="right", holds=becomes(replay_at, 100_000_000)),
    Pressed(id="replay.previous_chunk", key="left", holds=becomes(replay_at, 0)),
    Pressed(id="replay.part_on", key="full_stop", holds=becomes(replay_at, 200_000_000)),
    Pressed(id="replay.part_back", key="comma", holds=becomes(replay_at, 0)),
    Pressed(id="replay.next_stall", key="right_square_bracket", holds=becomes(replay_at, 500_000_000)),
    Pressed(id="replay.end", key="end", holds=becomes(replay_row, 37)),
    Pressed(id="replay.up", key="up", was=replay_row, holds=moved(replay_row, -1)),
    Pressed(id="replay.down", key="down", was=replay_row, holds=moved(replay_row, 1)),
    Pressed(id="replay.page_up", key="pageup", was=replay_row, holds=changes(replay_row)),
    Pressed(id="replay.page_down", key="pagedown", was=replay_row, holds=changes(replay_row)),
    Pressed(id="replay.previous_stall", key="left_square_bracket", holds=becomes(replay_at, 500_000_000)),
    Pressed(id="replay.begin", key="home", holds=becomes(replay_at, 0)),
    Pressed(id="replay.faster", key="plus", holds=shows("at 2x")),
    Pressed(id="replay.slower", key="minus", holds=shows("at 1x")),
    Pressed(id="replay.next_request", key="n", holds=becomes(replayed, 2)),
    Pressed(id="replay.previous_request", key="N", holds=becomes(replayed, 1)),
    Pressed(id="replay.go_on", key="c", holds=shows("goes on")),
)
STANDS_OUT = Pressed(id="requests.next_outlier", key="o", holds=shows("most likely: a stall"))
BENCH_ENDED = (
    opens("bench.export", "e", PathScreen),
    opens("bench.score", "q", ScoringStartScreen),
    Pressed(id="bench.mark", key="space", holds=lambda user, was: bool(bench_page(user).marked)),
    opens("bench.choose", "d", ChooseScreen),
    Pressed(id="bench.compare", key="c", holds=told("nothing to compare it with")),
    Pressed(id="bench.requests", key="v", holds=on(RequestsScreen)),
    opens("requests.play", "p", ReplayScreen),
    Pressed(id="requests.open", key="v", holds=on(RequestScreen)),
    opens("request.play", "space", ReplayScreen),
    Pressed(
        id="request.down", key="down", holds=lambda user, was: user.app.screen.query_one(Sheet).scroll_y > 0
    ),
    Pressed(
        id="request.up", key="up", holds=lambda user, was: user.app.screen.query_one(Sheet).scroll_y == 0
    ),
)
MEASURED_AGAIN = Pressed(id="bench.measure_again", key="f", holds=shows("of them measured again"))
BENCH_RUNS = (
    Pressed(
        id="bench.runs",
        key="r",
        holds=lambda user, was: on(RunsScreen)(user, was) and user.shows("interrupted"),
    ),
    opens("runs.play", "p", ReplayScreen),
    Pressed(id="runs.mark", key="space", holds=shows("✓ ")),
    opens("runs.choose", "d", ChooseScreen),
    opens("runs.history", "h", HistoryScreen),
    opens("runs.tags", "t", TagsScreen),
    opens("runs.note", "n", LineScreen),
    opens("runs.rename", "m", LineScreen),
    Pressed(id="runs.open", key="v", holds=on(BenchScreen), after=["r"]),
    Pressed(
        id="runs.resume", key="r", holds=lambda user, was: bench_state(user).run.status is RunStatus.COMPLETED
    ),
)


def limits_typed(user: Driven) -> str:
    return choosing(user).line.value


def choosing(user: Driven) -> ChooseScreen:
    assert isinstance(user.app.screen, ChooseScreen)
    return user.app.screen


CHOOSE = (
    Pressed(id="choose.right", key="right", holds=shows("limit on throughput")),
    Pressed(id="choose.left", key="left", holds=shows("limit on latency")),
    Pressed(id="choose.take", key="t", holds=lambda user, was: limits_typed(user).startswith("latency<=")),
    Pressed(id="choose.clear", key="x", holds=lambda user, was: limits_typed(user) == ""),
    Pressed(id="choose.weights", key="g", holds=shows("by the weights")),
    Pressed(id="choose.view", key="w", holds=shows("Quality against latency"), after=["w"]),
    opens("choose.decide", "d", LineScreen),
    Pressed(id="choose.limits", key="l", holds=lambda user, was: choosing(user).line.has_focus),
)
HISTORY = (
    Pressed(id="history.measure", key="m", holds=shows("time to first token")),
    Pressed(id="history.model", key="o", holds=shows("History of another")),
)
BEGUN_ANYWHERE = Pressed(
    id="plan.begin_anywhere", key="ctrl+s", holds=lambda user, was: user.services.bench.is_running
)


def bench_state(user: Driven) -> BenchState:
    state = user.services.bench.state.value
    assert state is not None
    return state


def looked_at(user: Driven) -> str:
    """The moment that is looked at, in words; "" for the present."""
    line = next(line for line in user.lines() if " paused at " in line or "as it goes" in line)
    return line.partition("values of")[2]


RESOURCES = (
    Pressed(id="resources.earlier", key="left", holds=shows("values of")),
    Pressed(id="resources.much_earlier", key="shift+left", was=looked_at, holds=changes(looked_at)),
    Pressed(id="resources.later", key="right", was=looked_at, holds=changes(looked_at)),
    Pressed(id="resources.much_later", key="shift+right", was=looked_at, holds=changes(looked_at)),
    Pressed(id="resources.previous_event", key="N", holds=shows(" unloaded smollm2")),
    Pressed(id="resources.next_event", key="n", before=["N"], holds=shows(" unloaded smollm2")),
    Pressed(id="resources.pause", key="space", holds=shows("as it goes")),
    Pressed(id="resources.zoom_in", key="plus", holds=shows("15 s,")),
    Pressed(id="resources.zoom_out", key="minus", holds=shows("1 min,")),
    Pressed(id="resources.view", key="v", holds=shows("What")),
    Pressed(id="resources.reclaim", key="r", holds=shows("the host held 207 MiB, now 60.0 MiB")),
)


def walk(user: Driven) -> ScoringSession:
    assert isinstance(user.app.screen, AnswersScreen)
    return user.app.screen.session


def given(value: int, criterion: int) -> Callable[[Driven, object], bool]:
    def is_given(user: Driven, was: object) -> bool:
        return walk(user).standing.values.get(RUBRIC.criteria[criterion].id) == value

    return is_given


def current(user: Driven) -> str:
    """The name of the criterion that digits score."""
    line = next(line for line in user.lines() if "▌" in line)
    return line.partition("▌")[2].split("  ")[0].strip()


def place(user: Driven) -> int:
    return walk(user).place


def preferred(side: str) -> Callable[[Driven, object], bool]:
    return shows(f"· {side} ·")


# After a score of the first criterion the second one is marked: back to the first, or undone.
SCORING = (
    opens("scoring.rubric", "h", RubricScreen),
    Pressed(id="scoring.criterion", key="tab", was=current, holds=changes(current)),
    Pressed(id="scoring.criterion_before", key="shift+tab", was=current, holds=changes(current)),
    Pressed(id="scoring.flag", key="f", holds=shows("· flagged ·"), after=["f"]),
    opens("scoring.note", "n", LineScreen),
    *(
        Pressed(
            id=f"scoring.give_{value}",
            key=str(value),
            holds=given(value, 0),
            after=["shift+tab"],
        )
        for value in range(1, 6)
    ),
    Pressed(id="scoring.on", key="right", holds=becomes(place, 1)),
    Pressed(id="scoring.back", key="left", holds=becomes(place, 0)),
    Pressed(id="scoring.skip", key="s", holds=becomes(place, 1)),
    Pressed(id="scoring.undo", key="u", holds=becomes(place, 0)),
    Pressed(id="scoring.next", key="enter", holds=becomes(place, 1)),
)
PAIRING = (
    Pressed(id="scoring.other", key="tab", holds=at("#pair-right-sheet")),
    Pressed(id="scoring.prefer_left", key="a", after=["left"], holds=shows("2/")),
    Pressed(id="scoring.prefer_right", key="b", holds=preferred("B is better")),
    Pressed(id="scoring.tie", key="equals_sign", holds=preferred("neither is better")),
)


def board(user: Driven) -> BesideScreen:
    assert isinstance(user.app.screen, BesideScreen)
    return user.app.screen


def answer_at(user: Driven) -> int:
    return board(user).at


BESIDE = (
    Pressed(id="beside.mark", key="space", before=["home"], holds=shows("3 taken")),
    Pressed(id="beside.blind", key="b", holds=shows("[ ] b blind"), after=["b", "space"]),
    Pressed(id="beside.ask", key="enter", holds=on(BesideScreen)),
)
BESIDE_JUDGED = (
    Pressed(id="beside.column", key="tab", holds=becomes(answer_at, 1)),
    Pressed(id="beside.column_before", key="shift+tab", holds=becomes(answer_at, 0)),
    Pressed(id="beside.criterion", key="c", was=current, holds=changes(current)),
    Pressed(id="beside.tell", key="enter", holds=on(ConfirmScreen), after=["escape"]),
    Pressed(id="beside.new", key="n", holds=on(BesideAskScreen)),
)
BESIDE_AGAIN = Pressed(id="beside.ask_anywhere", key="ctrl+s", before=["x"], holds=on(BesideScreen))
BESIDE_GONE_ON = Pressed(
    id="beside.go_on",
    key="k",
    holds=lambda user, was: user.app.screen is user.workspace and "and answer." in user.conversation,
)
SCORING_START = (
    Pressed(id="scoring.answers", key="ctrl+s", holds=on(AnswersScreen), after=["escape"]),
    Pressed(id="scoring.pairs", key="ctrl+t", holds=on(PairsScreen), after=["escape"]),
    Pressed(id="scoring.results", key="ctrl+r", holds=on(ResultsScreen), after=["escape"]),
)
QUIT = Pressed(id="app.quit", key="ctrl+q", holds=lambda user, was: user.leaving.is_set())
TABLE = (
    *(
        *CATALOG,
        *ROWS,
        REFRESHED,
        *PROMPT,
        *READING,
        *SORTED,
        *FOUND,
        *MATCHES,
        AGAIN,
        *RIBBON,
        HIDDEN_RIBBON,
    ),
    *(*COMPARED, *CONVERSATIONS, LOOKED_AGAIN, OPENED, *PROMPTS, SAVED, READ_AGAIN, *GAPS, AS_IT_STANDS),
    *(COMPLETED_PATH, COMPLETED_TAG, *LOG, *SETTINGS, QUIT),
    *(*ENDPOINTS, SWITCHED, *CONNECT, *PROVIDERS, CHECKED),
    *(*DOWNLOADS, *OFFER, LOOKED_FOR_ROOM, ACCEPTED),
    *CACHE,
    *(*RACE, *PLAN, *BENCH, *BENCH_ENDED, MEASURED_AGAIN, *BENCH_RUNS, BEGUN_ANYWHERE),
    *(*REPLAY, STANDS_OUT, *HISTORY, *CHOOSE, *RESOURCES),
    *(*SCORING_START, *SCORING, *PAIRING),
    *(*BESIDE, *BESIDE_JUDGED, BESIDE_AGAIN, BESIDE_GONE_ON),
    *(ROOM_MADE, LOADED_ANYWAY),
)


def every_action() -> list[Action]:
    """What can be done anywhere in the app, in places too that nobody has opened yet."""
    for module in pkgutil.walk_packages(foundry_tui.tui.__path__, "foundry_tui.tui."):
        importlib.import_module(module.name)
    places: list[type[DOMNode]] = [DOMNode]
    for place in places:  # grows while it is walked
        places += place.__subclasses__()
    return [action for place in places for action in actions_of(place, {})]


async def do(user: Driven, rows: Sequence[Pressed]) -> None:
    """Press every row's key, and wait until what must hold does."""
    for row in rows:
        place = user.app.screen
        await user.pilot.press(*row.before)
        was = row.was(user)
        with suppress(AssertionError, NoMatches):  # what it looks at may not be open yet
            if row.holds(user, was):
                pytest.fail(f"{row.id}: it holds before {row.key} was pressed")
        await user.pilot.press(row.key)
        try:
            await user.until(lambda row=row, was=was: row.holds(user, was))  # type: ignore[misc]
        except TimeoutError:
            pytest.fail(f"{row.id}: {row.key} did not do it, with the focus on {user.app.focused}")
        await user.pilot.press(*row.after)
        if "escape" in row.after:
            await user.until(lambda place=place: user.app.screen is place)  # type: ignore[misc]


async def choose(user: Driven, prompt_id: str) -> None:
    screen = user.app.screen
    assert isinstance(screen, PromptsScreen)
    screen.table.move_cursor_to(prompt_id)
    await user.until(lambda: screen.table.has_focus)


async def reopen(user: Driven, conversation_id: str, words: str) -> None:
    user.chat.open_conversation(conversation_id)
    await user.until(lambda: words in user.conversation and user.prompt.has_focus)
    user.chat.transcript.focus()
    await user.until(lambda: user.chat.transcript.has_focus)


def test_every_action_has_a_row_and_every_row_an_action() -> None:
    actions = {action.id for action in every_action()}

    rows = [row.id for row in TABLE]
    assert sorted(actions - set(rows)) == []
    assert sorted(set(rows) - actions) == []
    assert len(rows) == len(set(rows))


def test_each_row_presses_a_key_of_its_action() -> None:
    keys: defaultdict[str, set[str]] = defaultdict(set)
    for action in every_action():
        keys[action.id] |= set(action.keys.split(","))

    assert [row.id for row in TABLE if row.key not in keys[row.id]] == []


async def test_the_keys_of_the_catalog() -> None:
    async with driven(size=WIDE) as user:
        await user.up()
        user.catalog.table.move_cursor_to(MEDIUM)

        await do(user, CATALOG)
        user.client.catalog.publish(CatalogSnapshot(models=(), origin=SnapshotOrigin.LIVE))
        await user.until(lambda: not user.catalog.table.rows)
        await do(user, [REFRESHED])
        user.client.catalog.publish(CatalogSnapshot(models=MANY, origin=SnapshotOrigin.LIVE))
        await user.until(lambda: len(user.catalog.table.rows) == 100)
        await do(user, ROWS)


async def test_the_keys_of_a_race() -> None:
    small = next(model for model in SHELF if model.id == SMALL)
    absent = replace(small, id="small-instruct-cuda-gpu:1", is_cached=False)
    async with driven(SupervisedScript(models=(*SHELF, absent)), size=WIDE) as user:
        await user.up()
        user.catalog.table.move_cursor_to(SMALL)

        await do(user, RACE)


async def test_the_keys_of_the_question_before_a_load() -> None:
    scales = Scales(used_bytes=int(15.5 * GIB))
    engine = SupervisedScript(models=(*SHELF, LITTLE))
    async with driven(engine, size=WIDE, memory=scales.sources()) as user:
        await user.up()
        await user.client.load(LITTLE.id)
        for model_id, row in ((SMALL, ROOM_MADE), (LITTLE.id, LOADED_ANYWAY)):
            await user.until(lambda model_id=model_id: user.catalog.table.move_cursor_to(model_id))  # type: ignore[misc]
            await user.pilot.press("l")
            await user.until(lambda: isinstance(user.app.screen, LoadQuestionScreen))

            await do(user, [row])


async def test_the_keys_of_the_cache() -> None:
    async with driven(has_disk=False) as user:
        await user.up()
        await user.pilot.press("2")
        await user.until(lambda: user.cache.table.move_cursor_to(MEDIUM))
        await do(user, CACHE)


async def test_the_keys_of_a_comparison_that_is_wider_than_the_screen() -> None:
    async with driven(size=NARROW) as user:
        await user.up()
        await user.pilot.press("home", "space", "down", "space", "down", "space", "c")
        await user.until(lambda: user.shows("Compare 3 variants"))
        await user.until(lambda: user.app.screen.query_one(DataTable).allow_horizontal_scroll)

        await do(user, COMPARED)


async def test_the_keys_of_the_prompt_and_those_that_work_everywhere() -> None:
    async with driven(SupervisedScript(models=SHELF), start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await do(user, PROMPT)


async def test_the_keys_of_the_transcript_the_search_and_the_ribbon() -> None:
    store = MemoryStore()
    for kept in (CODING, SORTING):
        await store.create(kept)
    engine = SupervisedScript(ScriptedConfig(pieces=("Hello",)), models=SHELF)
    async with driven(engine, start_with=SCRIPTED_MODEL_ID, store=store) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await reopen(user, CODING.id, "two = 2")
        await do(user, READING)

        await user.pilot.press("escape")
        await reopen(user, SORTING.id, "stays in its order")
        await user.pilot.press("left_square_bracket")
        user.chat.ribbon.focus()
        await do(user, RIBBON)

        await reopen(user, SORTING.id, "stays in its order")
        await do(user, [*SORTED, *FOUND])
        user.chat.transcript.focus()
        await do(user, MATCHES)
        await do(user, [AGAIN])
        user.chat.ribbon.focus()
        await do(user, [HIDDEN_RIBBON])


async def test_the_ribbon_is_hidden_from_within_the_prompt() -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)

        await user.pilot.press("f6")
        await user.until(lambda: not user.chat.ribbon.display)

        assert not user.chat.ribbon.display


async def test_the_keys_of_the_conversations() -> None:
    store = MemoryStore()
    await store.create(SORTING)
    async with driven(store=store) as user:
        await user.up()
        await user.pilot.press("ctrl+l")
        await user.until(lambda: user.shows("1 conversation"))
        await do(user, CONVERSATIONS)

        await store.create(CODING)
        store.kept.pop(SORTING.id)
        await do(user, [LOOKED_AGAIN])
        await do(user, [OPENED])


async def test_the_keys_of_the_saved_prompts() -> None:
    store = MemoryStore()
    await store.save_prompt(SavedPrompt(id="p1", name="One", text="one"))
    async with driven(start_with=SCRIPTED_MODEL_ID, store=store) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        user.prompt.put("draft")
        await user.pilot.press("ctrl+t")
        await user.until(lambda: user.shows("1 prompt"))
        await do(user, PROMPTS)

        await user.pilot.press("e")
        await user.until(lambda: isinstance(user.app.focused, TextArea))
        await do(user, [SAVED])

        await store.save_prompt(SavedPrompt(id="p2", name="Two", text="{{this}} and {{that}}"))
        await do(user, [READ_AGAIN])
        await choose(user, "p2")
        await do(user, GAPS)

        await user.pilot.press("ctrl+t")
        await user.until(lambda: user.shows("2 prompts"))
        await choose(user, "p2")
        await user.pilot.press("enter")
        await user.until(lambda: isinstance(user.app.focused, GapField))
        await do(user, [AS_IT_STANDS])


def note() -> None:
    Path("notes.md").write_text("one\n")


async def test_the_keys_that_complete_a_path_and_a_tag(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    note()
    store = MemoryStore()
    for kept in (CODING, SORTING):
        await store.create(kept)
    async with driven(store=store) as user:
        await user.up()
        await user.pilot.press("f5")
        await user.until(lambda: user.shows("notes.md"))
        await do(user, [COMPLETED_PATH])

        await user.pilot.press("escape")
        await user.until(lambda: user.app.screen is user.workspace)
        await user.pilot.press("ctrl+l")
        await user.until(lambda: user.shows("2 conversations"))
        screen = user.app.screen
        assert isinstance(screen, ConversationsScreen)
        screen.table.move_cursor_to(CODING.id)
        await user.pilot.press("t")
        await user.until(lambda: isinstance(user.app.screen, TagsScreen) and user.app.focused is not None)
        await do(user, [COMPLETED_TAG])


async def test_the_keys_of_the_log_and_of_the_settings_and_quitting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    async with driven() as user:
        await user.up()
        await user.pilot.press("f4")
        logger = logging.getLogger("foundry_tui.test")
        for number in range(99):
            logger.error("line %d", number)
        logger.error("this was logged: %s to the end", "word " * 99)
        await user.until(lambda: user.shows("this was logged"))
        await do(user, LOG)
        await user.pilot.press("escape")
        await user.until(lambda: user.app.screen is user.workspace)

        await user.pilot.press("f2")
        await user.until(lambda: user.shows("[chat]"))
        await do(user, SETTINGS)
        await user.leave(QUIT.key)
        assert QUIT.holds(user, None)


async def test_the_keys_of_the_queue_of_downloads() -> None:
    ended = entry("c", 3, DownloadState.DONE, ended_unix_ms=NOON_MS)
    async with queued(entry("a", 1), entry("b", 2), ended, runs=False) as queue, driven() as user:
        queue.policy = LicensePolicy(allow=("*",))
        queue.models = [variant("a-generic-cpu:1")]
        await user.up()
        await user.app.push_screen(queue.screen())
        await user.until(lambda: queue_cell(user, "a", "state") == "queued")

        await do(user, DOWNLOADS)


async def test_the_keys_of_the_offer_before_a_download() -> None:
    async with queued(runs=False) as queue, driven() as user:
        await user.up()
        await user.app.push_screen(queue.offer(variant()))
        await user.until(lambda: user.shows("not agreed to yet"))
        await do(user, OFFER)

        queue.free_bytes = 51 * GIB
        await do(user, [LOOKED_FOR_ROOM, ACCEPTED])
        assert len(queue.store.kept) == 1


async def test_the_keys_of_the_switcher() -> None:
    around = Around(servers=(Server(url="http://127.0.0.1:1"),))
    async with driven(Presented(MANAGED_INFO)) as user:
        await user.up()
        screen = around.screen(user.client)
        await opened(user, screen)
        await user.until(lambda: user.shows("1 server found"))
        around.servers = (*around.servers, Server(url="http://127.0.0.1:2"))

        await do(user, ENDPOINTS)
        screen.table.move_cursor_to("demo")
        await do(user, [SWITCHED])


async def test_the_keys_of_the_address_and_its_snippets() -> None:
    async with driven(Presented(MANAGED_INFO, models=SHELF)) as user:
        await user.up()
        screen = ConnectScreen(user.client, model_id=MEDIUM)
        user.app.push_screen(screen)
        await user.until(lambda: user.shows("curl -N"))

        await do(user, CONNECT)


async def test_the_keys_of_the_execution_providers() -> None:
    engine = Presented(MANAGED_INFO, ScriptedConfig(providers=("CUDAExecutionProvider",)))
    async with driven(engine) as user:
        await user.up()
        screen = providers_screen(user.client)
        await opened(user, screen)
        await user.until(lambda: user.shows("CUDAExecutionProvider"))
        engine.offered = (ExecutionProvider("WebGpuExecutionProvider", is_registered=False),)

        await do(user, PROVIDERS)


async def test_the_key_of_the_checklist() -> None:
    named = ["nosuch"]
    async with driven() as user:
        await user.up()
        screen = validation_screen(user, lambda: list(named))
        await opened(user, screen)
        await user.until(lambda: user.shows("0 of 1 passed"))
        named[:] = [SHELF[1].alias]

        await do(user, [CHECKED])


async def test_the_keys_of_the_benchmark() -> None:
    engine = SupervisedScript(ScriptedConfig(gap_ms=5, pieces=("one\n",) * 30), models=SHELF[:1])
    async with driven(engine, size=NARROW) as user:
        await user.up()
        await user.pilot.press("alt+4")
        await user.until(lambda: user.shows("n plans one"))
        await do(user, PLAN)
        await user.until(lambda: user.shows("Pause") and bool(bench_state(user).requests))
        await do(user, BENCH)
        await user.until(lambda: bench_state(user).step is Step.ENDED and user.shows("Export"))
        await do(user, BENCH_ENDED)
        await user.pilot.press("escape", "escape")
        await user.until(lambda: isinstance(user.app.screen, BenchScreen))
        await do(user, BENCH_RUNS)

        await user.until(lambda: user.shows("New run"))
        await user.pilot.press("n")
        await user.until(lambda: user.shows("6 timed = 1 model"))
        await do(user, [BEGUN_ANYWHERE])


async def test_the_key_that_measures_marked_rounds_again() -> None:
    pace = dict.fromkeys(range(6, 11), 1.5)
    engine = SlowingScript(["why?"], lambda number: pace.get(number, 1.0), models=SHELF[:1])
    planned = BenchPlan(
        models=(SCRIPTED_MODEL_ID,), prompts=(PlannedPrompt(id="p", text="why?"),), rounds=10, warmup=0
    )
    async with driven(engine, size=NARROW) as user:
        await user.up()
        await user.services.bench.begin(planned)
        await user.services.bench.finished()
        await user.pilot.press("alt+4")
        await user.until(lambda: user.shows("f measures rounds 6 to 10 again"))

        await do(user, [MEASURED_AGAIN])


async def test_the_keys_of_a_replay() -> None:
    gaps_ms = [100.0] * 4 + [2500.0] + [100.0] * 10
    requests = [request(number, trace(gaps_ms, text="a line\n" * 3)) for number in (1, 2)]
    async with driven(size=NARROW) as user:
        await user.up()
        user.app.push_screen(ReplayScreen(requests, clock_s=lambda: 0.0))
        await user.until(lambda: user.shows("Replay of request 1"))

        await do(user, REPLAY)


async def test_the_keys_of_the_resources() -> None:
    machine = Machine()
    await busy_session(machine)
    async with driven(size=NARROW) as user:
        await user.up()
        user.app.push_screen(machine.screen())
        await user.until(lambda: user.shows("as it goes"))

        await do(user, RESOURCES)


async def test_the_keys_of_scoring() -> None:
    async with scored(size=NARROW) as user:
        await user.begin(name="Ada")
        await user.driven.pilot.press("escape")
        await user.driven.until(lambda: isinstance(user.driven.app.screen, ScoringStartScreen))
        await do(user.driven, SCORING_START)
        await user.driven.pilot.press("ctrl+s")
        await user.driven.until(lambda: isinstance(user.driven.app.screen, AnswersScreen))
        await do(user.driven, SCORING)
        await user.driven.pilot.press("escape", "ctrl+t")
        await user.driven.until(lambda: user.driven.shows("· blind"))
        await user.driven.until(lambda: isinstance(user.driven.app.screen, PairsScreen))
        await do(user.driven, PAIRING)


async def test_the_keys_of_a_choice() -> None:
    place = await kept_runs()
    async with driven(size=NARROW) as user:
        await user.up()
        user.app.push_screen(place.screen())
        await user.until(lambda: choosing(user).found is not None and user.shows("on the Pareto front"))

        await do(user, CHOOSE)


async def test_the_keys_of_answers_side_by_side() -> None:
    async with beside(size=NARROW) as asking:
        user = asking.driven
        await asking.open()
        await do(user, BESIDE)
        await asking.ended()
        await do(user, BESIDE_JUDGED)
        await do(user, [BESIDE_AGAIN])
        await user.until(lambda: board(user).asked.question.text == "x" and user.shows("digits score it"))
        await user.pilot.press("enter")
        await user.until(lambda: isinstance(user.app.screen, ConfirmScreen))
        await user.pilot.press("shift+tab", "enter")
        await user.until(lambda: isinstance(user.app.screen, BesideScreen) and board(user).is_told)
        await do(user, [BESIDE_GONE_ON])


async def test_the_keys_of_a_history() -> None:
    async with driven(size=NARROW) as user:
        await user.up()
        await opened(user, HistoryScreen(user.services.bench.store, ["one", "another"]))
        await user.until(lambda: user.shows("No run has measured it."))

        await do(user, HISTORY)


async def test_the_key_of_what_stands_out() -> None:
    requests = [
        request(number, trace([10.0] * 9 if number != 5 else [10.0, 2000.0, *[10.0] * 7]), prompt_id="rag")
        for number in range(1, 10)
    ]
    state = running(*requests, models=("tiny",))
    async with driven(size=NARROW) as user:
        await user.up()
        user.app.push_screen(RequestsScreen("tiny", lambda: state))
        await user.until(lambda: user.shows("1 stand out"))

        await do(user, [STANDS_OUT])


def clashes(user: Driven) -> set[tuple[str, str, str]]:
    """Keys that lead to two actions from where the focus is: key, nearer action, farther action."""
    nearer: dict[str, Action] = {}
    found: set[tuple[str, str, str]] = set()
    assert user.app.focused is not None
    for node in [*user.app.focused.ancestors_with_self]:
        for action in actions_of(type(node), {}):
            for key in filter(None, action.keys.split(",")):
                if key in nearer and nearer[key].name != action.name:
                    found.add((key, nearer[key].id, action.id))
                nearer.setdefault(key, action)
    return found


NEARER_WINS = {
    # Arrows walk in the ribbon; from elsewhere with Ctrl they share the width.
    ("ctrl+left", "ribbon.left_ten", "pane.narrower"),
    ("ctrl+right", "ribbon.right_ten", "pane.wider"),
    # From the filter the key leads to the rows; in the rows it goes on.
    ("down", "table.down", "catalog.to_rows"),
}


async def test_no_key_leads_to_two_actions_but_where_the_nearer_is_meant() -> None:
    found: set[tuple[str, str, str]] = set()
    async with driven(SupervisedScript(models=SHELF), start_with=SCRIPTED_MODEL_ID) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        user.chat.find()
        await user.until(lambda: user.workspace.query_one("#find-text").has_focus)
        for place in user.workspace.focus_chain:
            place.focus()
            await user.until(lambda place=place: place.has_focus)  # type: ignore[misc]
            found |= clashes(user)
        for key in ("f2", "f4", "f5", "ctrl+l", "ctrl+o", "ctrl+t"):
            await user.pilot.press(key)
            await user.until(lambda: user.app.screen is not user.workspace and user.app.focused is not None)
            found |= clashes(user)
            await user.pilot.press("escape")
            await user.until(lambda: user.app.screen is user.workspace)

    assert found == NEARER_WINS
