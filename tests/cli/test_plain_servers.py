"""Servers, addresses, snippets, checks and providers in plain mode."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from foundry_tui.domain.engine import EndpointKind, EngineInfo
from foundry_tui.domain.errors import BadInput, EngineUnavailable
from foundry_tui.engines.hosting.configs import ScriptedConfig
from foundry_tui.services.discovery import Discovery, FoundServer
from foundry_tui.services.opened import Services
from tests.cli.plain_sitting import MODEL, SHELF, Heard, heard
from tests.support.supervised import SupervisedScript


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that was found."""

    url: str
    kind: EndpointKind = EndpointKind.OPENAI
    how: str = "a known port"
    models: int | None = 3
    wants_key: bool = False
    software: str | None = None


NEAR = Server(url="http://127.0.0.1:11434", software="Ollama\x1b[31m")
LOCKED = Server(url="http://127.0.0.1:8000", wants_key=True, models=None)


def told(end: Heard) -> list[str]:
    lines = end.lines
    return lines[lines.index(f"Questions go to {MODEL}.") + 1 :]


def surroundings(
    *servers: Server, note: str | None = None, refusal: EngineUnavailable | None = None
) -> tuple[Callable[[Services], Services], list[tuple[str | None, str | None]]]:
    """Services that find ``servers`` and switch to whatever they are told, and what they were told."""
    asked: list[tuple[str | None, str | None]] = []

    async def look(on_found: Callable[[FoundServer], None]) -> None:
        for server in servers:
            on_found(server)

    async def connect(url: str | None, key_name: str | None) -> EngineInfo:
        asked.append((url, key_name))
        if refusal is not None:
            raise refusal
        return EngineInfo(
            kind=EndpointKind.OPENAI,
            url=url,
            pid=None,
            capabilities=(),
            notes=() if note is None else (note,),
        )

    return lambda services: replace(services, discovery=Discovery(look), connect=connect), asked


async def test_servers_are_listed_with_what_they_are_and_how_they_were_found(tmp_path: Path) -> None:
    change, _ = surroundings(NEAR, LOCKED)

    end = await heard(tmp_path, "/endpoints", change=change)

    assert told(end) == [
        "2 servers found. /connect NUMBER uses one.",
        "1: the managed runtime of this app, in use.",
        "2: http://127.0.0.1:11434, OpenAI-compatible server, Ollama␛[31m, 3 models, found by a known port.",
        "3: http://127.0.0.1:8000, OpenAI-compatible server, wants a key, found by a known port.",
    ]


async def test_a_server_is_used_by_its_number_after_what_would_be_lost_was_said(tmp_path: Path) -> None:
    change, asked = surroundings(NEAR, LOCKED, note="Not encrypted: \x1bbeware")

    end = await heard(
        tmp_path, "/endpoints", "/connect 3 THE_KEY", "no", "/connect 3 THE_KEY", "yes", change=change
    )

    assert end.code == 0
    assert asked == [("http://127.0.0.1:8000", "THE_KEY")]
    assert told(end)[4:] == [
        f"{MODEL} is unloaded, and the memory becomes free; coming back does not load again."
        " Use it from now on? Yes or no?",
        "Nothing was changed.",
        f"{MODEL} is unloaded, and the memory becomes free; coming back does not load again."
        " Use it from now on? Yes or no?",
        "In use from now on: OpenAI-compatible server, http://127.0.0.1:8000.",
        "Not encrypted: ␛beware.",
        "4 models, 3 on disk, 1 loaded.",
    ]


async def test_an_address_over_plain_http_to_another_machine_is_warned_of_before(tmp_path: Path) -> None:
    change, asked = surroundings()

    end = await heard(tmp_path, "/connect http://gpu.example:8000/v1", "n", start_with=None, change=change)

    assert asked == []
    assert end.lines[-2].startswith("Not encrypted: whoever is on the way to gpu.example can read prompts")
    assert end.lines[-1] == "Nothing was changed."


async def test_a_server_that_refuses_leaves_everything_as_it_was(tmp_path: Path) -> None:
    change, _ = surroundings(refusal=EngineUnavailable("nothing answers there", remedy="start it"))

    end = await heard(
        tmp_path, "/connect http://127.0.0.1:1", "/connect own", "/connect 9", start_with=None, change=change
    )

    assert end.code == 1
    assert end.lines[-4:] == [
        "Nothing answers there.",
        "What to do: start it.",
        "It is in use already.",
        "There is no server in the last list yet.",
    ]


def targeted(read: Callable[[], Sequence[str]]) -> Callable[[Services], Services]:
    return lambda services: replace(services, targets=lambda: tuple(read()))


async def test_the_models_of_the_users_file_are_checked_as_it_is_each_time(tmp_path: Path) -> None:
    contents: list[tuple[str, ...] | BadInput] = [
        ("small",),
        BadInput("models.json, line 3: expected a comma", remedy="mend it"),
        ("small", "nobody"),
    ]

    def read() -> Sequence[str]:
        now = contents.pop(0)
        if isinstance(now, BadInput):
            raise now
        return now

    end = await heard(tmp_path, *["/validate"] * 3, change=targeted(read))

    lines = told(end)
    assert end.code == 1
    assert lines[0].startswith(
        "small passed: listed yes, cached yes, loads yes (10.0 milliseconds), answers yes"
    )
    assert lines[1:4] == [
        "1 of 1 model passed.",
        "models.json, line 3: expected a comma.",
        "What to do: mend it.",
    ]
    assert lines[5].startswith("nobody failed: listed no (no model 'nobody')")
    assert lines[6:] == ["What to do: /models shows what there is.", "1 of 2 models passed."]


async def test_models_that_are_named_are_checked_in_the_place_of_those_of_the_file(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/validate small, small", "/validate")

    assert end.lines[-3] == "1 of 1 model passed."
    assert end.lines[-2:] == ["models.json names no models.", "What to do: /validate A, B names them."]


@pytest.mark.parametrize("command", ["/snippet cobol", "/snippet curl"])
async def test_where_nothing_can_be_reached_from_outside_there_is_no_snippet(
    command: str, tmp_path: Path
) -> None:
    end = await heard(tmp_path, "/address", command)

    assert end.code == 1
    assert "This engine has no address that others could use." in end.lines


async def test_execution_providers_are_listed_and_registered_after_a_yes(tmp_path: Path) -> None:
    engine = SupervisedScript(ScriptedConfig(providers=("FastProvider", "BadBroken")), models=SHELF)

    end = await heard(
        tmp_path, "/providers", "/providers all", "no", "/providers all", "yes", "/providers", engine=engine
    )

    lines = told(end)
    assert end.code == 1
    assert lines[:2] == ["FastProvider: not registered.", "BadBroken: not registered."]
    assert "Nothing was downloaded." in lines
    assert lines[-4:] == [
        "Registered: FastProvider.",
        "Failed: BadBroken. /log has the runtime's words.",
        "FastProvider: registered.",
        "BadBroken: not registered.",
    ]
