"""Short requests to somebody else's server: bounded in time and size, whatever comes back is hostile."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2

from foundry_tui.domain.addresses import exposure_words
from foundry_tui.domain.errors import EngineUnavailable, ModelRefused
from foundry_tui.domain.text import clean_line
from foundry_tui.engines.reasons import plain_reason
from foundry_tui.engines.streaming.transport import StampingTransport

__all__ = ["Answer", "EndpointHttp", "exposure_of", "key_wanted", "segment"]

ANSWER_S = 30.0
"""How long a whole answer to a question about the server itself may take."""
_LIMIT_BYTES = 64 * 1024 * 1024
_REASON_BYTES = 64 * 1024
_NAME_CHARACTERS = 120
_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response that was read to its end.

    Attributes:
        location: Where a redirect leads.
        server: What the server calls itself in its headers.
    """

    status: int
    body: bytes
    location: str | None = None
    server: str | None = None

    @property
    def wants_key(self) -> bool:
        """Whether it was refused for lack of a key, or for a wrong one."""
        return self.status in (401, 403)

    def json(self) -> object:
        """The content of a good answer; None where it is no JSON or none was given."""
        if self.status != 200:
            return None
        try:
            content: object = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return content

    def reason(self) -> str:
        """The server's words about what went wrong, in whatever form they came, on one harmless line."""
        text = self.body.decode("utf-8", errors="replace")
        try:
            said: object = json.loads(text)
        except (ValueError, RecursionError):
            said = text
        if isinstance(said, dict):
            folded = {key.lower(): value for key, value in said.items()}
            inner = folded.get("error")
            if isinstance(inner, dict):
                folded = {key.lower(): value for key, value in inner.items()}
            names = ("message", "errormessage", "detail", "error", "title")
            texts = [folded[name] for name in names if isinstance(folded.get(name), str) and folded[name]]
            said = texts[0] if texts else text
        return plain_reason(said if isinstance(said, str) else text)


class EndpointHttp:
    """Asks one server; whoever makes it closes it.  Follows no redirect, which could lead a key away."""

    def __init__(self, url: str, *, api_key: str | None, connect_s: float) -> None:
        self.url = url
        self._connect_s = connect_s
        headers = {"Accept-Encoding": "identity"}
        if api_key is not None:
            headers["Authorization"] = f"Bearer {api_key}"
        self._client = httpx2.AsyncClient(
            transport=StampingTransport(url),
            base_url=url,
            headers=headers,
            # Connecting is limited by the transport, everything after it by each call.
            timeout=httpx2.Timeout(None, connect=connect_s),
            follow_redirects=False,
            trust_env=False,
        )

    async def get(self, path: str, *, wait_s: float = ANSWER_S, limit_bytes: int = _LIMIT_BYTES) -> Answer:
        """What ``GET path`` answers, whatever its status.

        Raises:
            EngineUnavailable: No whole answer in time, or one without end.
        """
        try:
            async with (
                asyncio.timeout(self._connect_s + wait_s),
                self._client.stream("GET", path) as response,
            ):
                body = await self._read(response, limit_bytes)
                return Answer(
                    status=response.status_code,
                    body=body,
                    location=response.headers.get("location"),
                    server=response.headers.get("server"),
                )
        except TimeoutError as error:
            raise EngineUnavailable(
                f"{self.url} took the question and gave no whole answer within {wait_s:g} s",
                remedy="it may be busy or stuck: try again, or look at the server",
            ) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._unreachable(error) from error

    @asynccontextmanager
    async def post(self, path: str, content: Mapping[str, object]) -> AsyncGenerator["Posted", None]:
        """Send ``content`` and read the answer as it comes, without any limit of time; leaving stops it.

        Raises:
            EngineUnavailable: The server cannot be reached, or the connection broke.
        """
        try:
            async with self._client.stream("POST", path, json=dict(content)) as response:
                yield Posted(response)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._unreachable(error) from error

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _read(self, response: httpx2.Response, limit_bytes: int) -> bytes:
        body = bytearray()
        async for data in response.aiter_bytes():
            body += data
            if len(body) > limit_bytes:
                raise EngineUnavailable(
                    f"{self.url} answers without end",
                    remedy="check the address: this is no server of models",
                )
        return bytes(body)

    def _unreachable(self, error: Exception) -> EngineUnavailable:
        return EngineUnavailable(
            f"cannot reach {self.url}: {plain_reason(str(error) or type(error).__name__)}",
            remedy="check the address, and that the server runs",
        )


class Posted:
    """An answer under way."""

    def __init__(self, response: httpx2.Response) -> None:
        self._response = response
        self.status = response.status_code

    def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes."""
        return self._response.aiter_bytes()

    async def refusal(self) -> Answer:
        """The beginning of a body that says what went wrong."""
        body = bytearray()
        async for data in self._response.aiter_bytes():
            body += data
            if len(body) > _REASON_BYTES:
                break
        return Answer(status=self.status, body=bytes(body[:_REASON_BYTES]))


def segment(name: str) -> str:
    """``name`` as one path segment; the runtime decodes nothing, so a colon goes as it is.

    Raises:
        ModelRefused: It would leave its place in the path.
    """
    if _MODEL_NAME.fullmatch(name) is None:
        raise ModelRefused(
            f"{clean_line(name, _NAME_CHARACTERS)!r} is not a model id",
            remedy="foundry-tui models list shows the ids",
        )
    return name


def key_wanted(url: str, answer: Answer | None = None) -> EngineUnavailable:
    """What to say of a server that answers nothing without the right key."""
    code = "" if answer is None else f" (HTTP {answer.status})"
    return EngineUnavailable(
        f"{url} wants a key{code}",
        remedy="name the key's environment variable with --api-key-env, or put it into the system's keyring",
    )


def exposure_of(url: str) -> str | None:
    """The warning that ``url`` deserves; None where nobody can read along."""
    # By the library that will connect: it may read an odd address otherwise than others do.
    parts = httpx2.URL(url)
    return exposure_words(parts.scheme, parts.host)
