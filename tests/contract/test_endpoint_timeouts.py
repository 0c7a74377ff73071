"""Each wait of a request has its own limit, with every kind of server."""

import pytest

from foundry_tui.domain.chat import Outcome, PhaseTimeouts
from foundry_tui.engines.endpoints.server import EndpointServer
from foundry_tui.engines.hosting.configs import EndpointConfig
from tests.contract.chats import Heard, ask, failure, hear
from tests.support.endpoint import DEFAULT_MODEL, Setting, scripted_endpoint
from tests.support.faults import PIECES, keep_alive_only, runaway, stall_before_headers, stall_midway
from tests.support.routes import ServerKind
from tests.support.script import Script

KINDS: tuple[ServerKind, ...] = ("foundry-v1", "foundry-v2", "openai")
SHORT_S = 0.1


async def heard_from(kind: ServerKind, script: Script, limits: PhaseTimeouts) -> Heard:
    async with scripted_endpoint(script, Setting(kind=kind)) as endpoint:
        server = await EndpointServer.open(EndpointConfig(url=endpoint.url), find_key=lambda url: None)
        heard = await hear(server, ask(model=DEFAULT_MODEL, timeouts=limits))
        await server.aclose()
        await endpoint.until(lambda: endpoint.open_streams == 0)
    return heard


@pytest.mark.parametrize("kind", KINDS)
async def test_headers_are_waited_for_so_long(kind: ServerKind) -> None:
    limits = PhaseTimeouts(connect_s=SHORT_S, headers_s=SHORT_S)

    heard = await heard_from(kind, stall_before_headers(), limits)

    assert failure(heard).outcome is Outcome.TIMEOUT
    assert "headers" in failure(heard).message


@pytest.mark.parametrize("kind", KINDS)
async def test_a_first_token_is_waited_for_so_long_whatever_comments_come(kind: ServerKind) -> None:
    heard = await heard_from(kind, keep_alive_only(every_ms=10), PhaseTimeouts(first_token_s=SHORT_S))

    assert failure(heard).outcome is Outcome.TIMEOUT
    assert "first token" in failure(heard).message


@pytest.mark.parametrize("kind", KINDS)
async def test_a_next_token_is_waited_for_so_long(kind: ServerKind) -> None:
    heard = await heard_from(kind, stall_midway(), PhaseTimeouts(between_s=0.5))

    assert failure(heard).outcome is Outcome.STALLED
    assert tuple(chunk.text for chunk in heard.chunks) == PIECES


@pytest.mark.parametrize("kind", KINDS)
async def test_the_whole_answer_is_waited_for_so_long(kind: ServerKind) -> None:
    heard = await heard_from(kind, runaway(every_ms=1), PhaseTimeouts(total_s=SHORT_S))

    assert failure(heard).outcome is Outcome.TIMEOUT
    assert "end of the answer" in failure(heard).message
