import asyncio
import contextlib
import socket
import ssl
import struct
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpcore2
import httpx2
import pytest
import trustme

from foundry_tui.engines.streaming.sockets import StampedStream, StampingBackend
from foundry_tui.engines.streaming.transport import StampingTransport, watch_of

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"


@asynccontextmanager
async def server(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncGenerator[int, None]:
    tasks: list[asyncio.Task[None]] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (task := asyncio.current_task()) is not None:
            tasks.append(task)
        try:
            await serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    listening = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls)
    async with listening:
        yield listening.sockets[0].getsockname()[1]
        if tasks:
            await asyncio.wait(tasks, timeout=5)


async def connected(port: int) -> StampedStream:
    stream = await StampingBackend().connect_tcp("127.0.0.1", port, timeout=5)
    assert isinstance(stream, StampedStream)
    return stream


async def read_all(stream: StampedStream, max_bytes: int = 65536) -> bytes:
    data = b""
    while piece := await stream.read(max_bytes, timeout=5):
        assert len(piece) <= max_bytes
        data += piece
    return data


async def get(url: str) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=StampingTransport(url), trust_env=False) as client:
        return await client.get(url)


async def test_each_read_has_a_number_and_a_stamp_of_its_own_arrival() -> None:
    second = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"one")
        await second.wait()
        writer.write(b"two")

    async with server(serve) as port:
        stream = await connected(port)
        first = (await stream.read(100), stream.reads, stream.last_read_ns)
        asked_ns = time.perf_counter_ns()
        second.set()
        then = (await stream.read(100), stream.reads, stream.last_read_ns)
        await stream.aclose()

    assert first[:2] == (b"one", 1)
    assert then[:2] == (b"two", 2)
    assert first[2] < asked_ns < then[2]


async def test_a_piece_longer_than_asked_for_comes_in_parts_and_nothing_is_lost() -> None:
    body = bytes(range(256)) * 8192  # 2 MiB, more than is kept before the sender must wait

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(body)
        await writer.drain()

    async with server(serve) as port:
        stream = await connected(port)
        assert await read_all(stream, max_bytes=1000) == body
        await stream.aclose()


@pytest.mark.parametrize("waits_for_us", [False, True], ids=["at once", "when the length is acknowledged"])
async def test_a_length_in_a_packet_of_its_own_is_read_with_its_chunk(*, waits_for_us: bool) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, not waits_for_us)
        await reader.readexactly(1)
        writer.write(b"3\r\n")
        writer.write(b"abc\r\n")
        await reader.read()

    async with server(serve) as port:
        stream = await connected(port)
        await stream.write(b"?")
        asked_ns = stream.last_write_ns
        read = await stream.read(100, timeout=5)
        assert (read, stream.reads) == (b"3\r\nabc\r\n", 1)
        assert asked_ns < stream.last_read_ns < time.perf_counter_ns()
        await stream.aclose()


async def test_a_connection_that_is_torn_down_behind_a_length_is_no_clean_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stream = await connected(listening.getsockname()[1])
        server_end, _ = listening.accept()
        server_end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Both are in before our loop gets to read the first.
        server_end.send(b"3\r\n")
        server_end.close()

        assert await stream.read(100, timeout=5) == b"3\r\n"
        with pytest.raises(httpcore2.ReadError):
            await stream.read(100, timeout=5)
        await stream.aclose()


async def test_text_that_looks_like_a_length_is_not_kept_back_for_good() -> None:
    go_on = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"content-length: 4\r\n\r\n")
        await writer.drain()
        writer.write(b"12\r\n")
        await writer.drain()
        await go_on.wait()  # the connection stays open: only the body's length tells its end

    async with server(serve) as port, asyncio.timeout(5):
        response = await get(f"http://127.0.0.1:{port}/")
        go_on.set()

    assert response.text == "12\r\n"


async def test_an_abort_ends_the_reading_and_silence_is_a_time_out() -> None:
    silent = asyncio.Event()

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silent.wait()

    async with server(wait) as port:
        stream = await connected(port)
        with pytest.raises(httpcore2.ReadTimeout):
            await stream.read(10, timeout=0.01)
        silent.set()
        await stream.aclose()
    async with server(reset) as port:
        stream = await connected(port)
        # The end of a connection that was aborted with nothing in it: an error, or just an end.
        with contextlib.suppress(httpcore2.ReadError):
            assert await read_all(stream) == b""
        await stream.aclose()


async def test_a_closed_connection_takes_no_more() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with server(serve) as port:
        stream = await connected(port)
        await stream.aclose()
        with pytest.raises(httpcore2.WriteError):
            await stream.write(b"late")


async def test_nothing_listening_is_a_connect_error() -> None:
    async with server(lambda _r, _w: asyncio.sleep(0)) as port:
        pass

    with pytest.raises(httpcore2.ConnectError):
        await connected(port)


async def test_an_encrypted_server_is_read_with_stamps_and_an_unknown_one_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    authority = trustme.CA()
    folder = tmp_path_factory.mktemp("ca")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"content-length: 5\r\nconnection: close\r\n\r\nhello")
        await writer.drain()

    async with server(serve, context) as port:
        url = f"https://127.0.0.1:{port}/"
        with pytest.raises(httpx2.ConnectError):
            await get(url)
        monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
        asked_ns = time.perf_counter_ns()
        response = await get(url)

    assert response.text == "hello"
    watch = watch_of(response)
    assert asked_ns < watch.sent_ns <= watch.headers_ns
