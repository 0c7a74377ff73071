"""What kind of server answers at an address (docs/decisions/0004)."""

from dataclasses import dataclass

from foundry_tui.domain.engine import EndpointKind
from foundry_tui.domain.errors import EngineUnavailable
from foundry_tui.domain.text import clean_line
from foundry_tui.engines.endpoints.http import ANSWER_S, Answer, EndpointHttp
from foundry_tui.engines.endpoints.models import folded, is_listing, records_in, software_in

__all__ = ["Fingerprint", "recognise"]

_SHOWN = 200
_STATUS_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What an address turned out to be.

    Attributes:
        wants_key: It tells nothing without a key, so that its kind is a guess.
        cache_dir: Where it says that it keeps models; to be shown, never opened.
        pid: Its process on its own machine.
        software: Which program it is, where it says so.
    """

    kind: EndpointKind
    wants_key: bool = False
    cache_dir: str | None = None
    pid: int | None = None
    software: str | None = None


async def recognise(http: EndpointHttp, *, wait_s: float = ANSWER_S) -> Fingerprint:
    """Ask in the order of the decision; each question waits ``wait_s`` at most.

    Raises:
        EngineUnavailable: Nothing there, or nothing that is an OpenAI-compatible server.
    """
    status = await _status(http, "/status", wait_s)
    if "modelcachepath" in status:
        return Fingerprint(
            kind=EndpointKind.FOUNDRY_V2,
            cache_dir=_text(status, "modelcachepath"),
            pid=_number(status, "pid"),
        )
    status = await _status(http, "/openai/status", wait_s)
    if "modeldirpath" in status or "endpoints" in status:
        return Fingerprint(kind=EndpointKind.FOUNDRY_V1, cache_dir=_text(status, "modeldirpath"))
    answer = await http.get("/v1/models", wait_s=wait_s)
    if answer.wants_key:
        return Fingerprint(kind=EndpointKind.OPENAI, wants_key=True)
    content = answer.json()
    if is_listing(content):
        return Fingerprint(kind=EndpointKind.OPENAI, software=software_in(records_in(content), answer.server))
    raise _stranger(http.url, answer)


async def _status(http: EndpointHttp, path: str, wait_s: float) -> dict[str, object]:
    content = (await http.get(path, wait_s=wait_s, limit_bytes=_STATUS_BYTES)).json()
    return folded(content) if isinstance(content, dict) else {}


def _stranger(url: str, answer: Answer) -> EngineUnavailable:
    if 300 <= answer.status < 400 and answer.location:
        return EngineUnavailable(
            f"{url} leads elsewhere, to {clean_line(answer.location, _SHOWN)}",
            remedy="give the address that it leads to, if you trust it",
        )
    what = "a web page" if answer.body.lstrip()[:1] == b"<" else f"HTTP {answer.status}"
    return EngineUnavailable(
        f"{url} answers, but not as an OpenAI-compatible server ({what} for /v1/models)",
        remedy="check the address: with or without /v1, and the port",
    )


def _text(status: dict[str, object], key: str) -> str | None:
    value = status.get(key)
    return value if isinstance(value, str) else None


def _number(status: dict[str, object], key: str) -> int | None:
    value = status.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
