"""Which servers run on this machine: asked from several sides at once, confirmed by what they answer.

Nothing that is found is trusted: only addresses of this machine are followed, unless the user's own
environment names another, no key is sent anywhere, and only questions are asked that change nothing.
"""

import asyncio
import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from foundry_tui.domain.engine import EndpointKind
from foundry_tui.domain.errors import EngineError
from foundry_tui.engines.endpoints.api_keys import origin_of
from foundry_tui.engines.endpoints.fingerprint import Fingerprint, recognise
from foundry_tui.engines.endpoints.http import EndpointHttp
from foundry_tui.engines.endpoints.models import ids_in
from foundry_tui.engines.streaming.transport import is_loopback

__all__ = ["KNOWN_PORTS", "RunningServer", "Surroundings", "find_servers"]

KNOWN_PORTS = (5272, 5273, 11434, 8080, 1234, 8000)
"""Foundry Local's examples, Ollama, llama.cpp, LM Studio, vLLM and llama-cpp-python."""

_ADDRESS = re.compile(r"https?://(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253}):\d{1,5}(?!\d)")
_PORT = re.compile(r'"port"\s*:\s*"?(\d{1,5})\b', re.IGNORECASE)
_EVERY_ADDRESS = ("0.0.0.0", "[::]")
_READ_BYTES = 64 * 1024
_REAP_S = 1.0
_MODELS_AT = {EndpointKind.FOUNDRY_V1: "/openai/models"}
# The current one, and the one before it.
_STATUS_COMMANDS = (("server", "status", "-o", "json"), ("service", "status"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningServer:
    """A server that answered.

    Attributes:
        url: Base address without ``/v1``.
        how: How it was found, in a few words.
        models: How many it lists; None if it did not tell in time, or wants a key.
        software: Which program it is, where it says so.
    """

    url: str
    kind: EndpointKind
    how: str
    models: int | None
    wants_key: bool = False
    software: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where to look; the defaults are this machine."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    home: Path = field(default_factory=Path.home)
    ports: tuple[int, ...] = KNOWN_PORTS
    find_program: Callable[[str], str | None] = shutil.which


async def find_servers(
    surroundings: Surroundings,
    on_found: Callable[[RunningServer], None] | None = None,
    *,
    limit_s: float = 0.9,
    program_limit_s: float = 3.0,
) -> tuple[RunningServer, ...]:
    """All that answer within ``limit_s``, in the order environment, file, program, ports.

    Args:
        surroundings: Where to look.
        on_found: Told of each at once; what only the ``foundry`` program knows of comes last.
        limit_s: For each server from the first question to the last answer.
        program_limit_s: For that program, which may be slow to start; without it all is over in ``limit_s``.
    """
    search = _Search(on_found or (lambda server: None), limit_s)
    async with asyncio.TaskGroup() as group:
        # Said things first: where an address is known in several ways, the most telling one is named.
        for url in _in_environment(surroundings.environment):
            search.begin(group, url, "environment")
        for url in await asyncio.to_thread(_in_daemon_file, surroundings.home):
            search.begin(group, url, "~/.foundry/daemon.json")
        for port in surroundings.ports:
            search.begin(group, f"http://127.0.0.1:{port}", f"port {port}")
        for url in await _told_by_program(surroundings.find_program, program_limit_s):
            search.begin(group, url, "foundry program")
    return search.servers()


class _Search:
    def __init__(self, on_found: Callable[[RunningServer], None], limit_s: float) -> None:
        self._on_found = on_found
        self._limit_s = limit_s
        self._found: dict[str, RunningServer | None] = {}

    def begin(self, group: asyncio.TaskGroup, url: str, how: str) -> None:
        key = _same(url)
        if key not in self._found:
            self._found[key] = None
            group.create_task(self._look(key, url, how), name=f"look at {url}")

    def servers(self) -> tuple[RunningServer, ...]:
        return tuple(server for server in self._found.values() if server is not None)

    async def _look(self, key: str, url: str, how: str) -> None:
        server = await _confirmed(url, how, self._limit_s)
        if server is not None:
            self._found[key] = server
            self._on_found(server)


async def _confirmed(url: str, how: str, limit_s: float) -> RunningServer | None:
    http = EndpointHttp(url, api_key=None, connect_s=limit_s)
    found: Fingerprint | None = None
    models: int | None = None
    try:
        async with asyncio.timeout(limit_s):
            found = await recognise(http, wait_s=limit_s)
            if not found.wants_key:
                answer = await http.get(_MODELS_AT.get(found.kind, "/v1/models"), wait_s=limit_s)
                models = len(ids_in(answer.json()))
    except (EngineError, TimeoutError):
        pass  # what is known by then is told
    finally:
        await http.aclose()
    if found is None:
        return None
    return RunningServer(
        url=url, kind=found.kind, how=how, models=models, wants_key=found.wants_key, software=found.software
    )


def _in_environment(environment: Mapping[str, str]) -> Iterator[str]:
    named = environment.get("FOUNDRY_LOCAL_ENDPOINT", "").strip()
    ollama = environment.get("OLLAMA_HOST", "").strip()
    if ollama and "://" not in ollama:
        host, _, port = ollama.rpartition(":") if re.search(r":\d+$", ollama) else (ollama, "", "11434")
        ollama = f"http://{host or '127.0.0.1'}:{port}"
    for text in (named, ollama):
        if (url := _base(text)) is not None:
            yield url


def _in_daemon_file(home: Path) -> list[str]:
    path = home / ".foundry" / "daemon.json"
    try:
        if not path.is_file():
            return []
        with path.open("rb") as file:
            text = file.read(_READ_BYTES).decode("utf-8", errors="replace")
    except (OSError, ValueError):
        return []
    ports = [f"http://127.0.0.1:{port}" for port in _PORT.findall(text)]
    return _addresses_in(text) or [url for port in ports if (url := _base(port)) is not None]


async def _told_by_program(find_program: Callable[[str], str | None], limit_s: float) -> list[str]:
    program = await asyncio.to_thread(find_program, "foundry")
    # On Windows the current folder is searched too, and anybody may have put a program there.
    if program is None or not Path(program).is_absolute() or Path(program).parent == Path.cwd():
        return []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            for arguments in _STATUS_COMMANDS:
                if urls := _addresses_in(await _output_of(program, *arguments)):
                    return urls
    return []


async def _output_of(program: str, *arguments: str) -> str:
    """The beginning of what it prints; without a shell, and not for longer than somebody waits here."""
    try:
        transport, said = await asyncio.get_running_loop().subprocess_exec(
            _Said,
            program,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, ValueError):
        return ""
    try:
        await said.is_enough.wait()
        return said.text.decode("utf-8", errors="replace")
    finally:
        transport.close()  # kills it if it still runs, and closes a pipe that a child of its own may hold
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REAP_S):
                await said.is_ended.wait()


class _Said(asyncio.SubprocessProtocol):
    """What a program prints, as far as it is read."""

    def __init__(self) -> None:
        self.text = bytearray()
        self.is_enough = asyncio.Event()
        self.is_ended = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.text += data[: _READ_BYTES - len(self.text)]
        if len(self.text) >= _READ_BYTES:
            self.is_enough.set()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self.is_enough.set()

    def process_exited(self) -> None:
        self.is_ended.set()


def _addresses_in(text: str) -> list[str]:
    """Addresses of this machine in ``text``, whatever else it is."""
    found = (_base(address) for address in _ADDRESS.findall(text.replace("\\/", "/")))
    return list(dict.fromkeys(url for url in found if url is not None and is_loopback(url)))


def _base(text: str) -> str | None:
    """The base address in ``text``, with an address to connect to; None if it is none."""
    try:
        parts = urlsplit(text)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        is_usable = is_usable and parts.username is None and text.isprintable() and " " not in text
    except ValueError:
        return None
    if not is_usable:
        return None
    place = parts.netloc
    for every in _EVERY_ADDRESS:
        # A server that listens everywhere listens here.
        if place == every or place.startswith(f"{every}:"):
            place = place.replace(every, "127.0.0.1", 1)
    return f"{parts.scheme}://{place}{parts.path.rstrip('/').removesuffix('/v1')}".rstrip("/")


def _same(url: str) -> str:
    """What two addresses of one server have in common."""
    origin = origin_of(url)
    for name in ("localhost", "[::1]"):
        origin = origin.replace(f"//{name}:", "//127.0.0.1:")
    return f"{origin}{urlsplit(url).path}"
