"""How tests talk to an endpoint of this process: over a bare socket, by GET, with the real SDK."""

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import openai
from openai.types.chat import ChatCompletionChunk

from tests.support.endpoint import Endpoint

__all__ = ["CHAT", "chat", "client_of", "finish_of", "get", "posted", "read_all", "text_of"]

CHAT: dict[str, object] = {
    "model": "m",
    "messages": [{"role": "user", "content": "hi"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}
"""A chat as a client of ours asks for it."""


@asynccontextmanager
async def posted(
    endpoint: Endpoint, body: dict[str, object], path: str = "/v1/chat/completions"
) -> AsyncGenerator[asyncio.StreamReader, None]:
    """Post ``body`` on a connection of its own and read the answer inside the block."""
    port = int(endpoint.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    content = json.dumps(body).encode()
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\nX-Tag: seven\r\n"
        f"Content-Length: {len(content)}\r\n\r\n".encode()
        + content
    )
    try:
        yield reader
    finally:
        writer.transport.abort()


async def read_all(endpoint: Endpoint, body: dict[str, object] | None = None) -> tuple[bytes, bool]:
    """Every byte of the answer to a chat, and whether a reset ended it."""
    received = bytearray()
    async with posted(endpoint, CHAT if body is None else body) as reader:
        try:
            while data := await reader.read(65_536):
                received += data
        except ConnectionResetError:
            return bytes(received), True
    return bytes(received), False


async def get(url: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    """Status, body and headers of a GET; in a thread, since the server runs on this loop."""

    # No proxy of the user's may stand between.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def fetch() -> tuple[int, str, dict[str, str]]:
        request = urllib.request.Request(url, headers=headers)
        try:
            with opener.open(request, timeout=10) as response:
                return response.status, response.read().decode(), dict(response.headers)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(), dict(error.headers)

    return await asyncio.to_thread(fetch)


def client_of(url: str) -> openai.AsyncOpenAI:
    """The real SDK without its retries; the caller closes it."""
    return openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="key", max_retries=0)


async def chat(client: openai.AsyncOpenAI) -> list[ChatCompletionChunk]:
    """Every chunk of one streamed answer."""
    stream = await client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": "hi"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    async with stream:
        return [chunk async for chunk in stream]


def text_of(chunks: Sequence[ChatCompletionChunk]) -> str:
    """The visible answer."""
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def finish_of(chunks: Sequence[ChatCompletionChunk]) -> list[str]:
    """Every finish_reason that came."""
    return [c.finish_reason for chunk in chunks for c in chunk.choices if c.finish_reason is not None]
