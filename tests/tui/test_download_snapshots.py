"""The queue of downloads and the offer before one, in each of their states, at the two sizes that matter.

``pytest --snapshot-update`` writes what is shown now; look at each file that it changes.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion
from textual._context import visible_screen_stack

from foundry_tui.domain.downloads import Download, DownloadState
from foundry_tui.domain.errors import StorageProblem
from foundry_tui.domain.models import Device, ModelVariant
from foundry_tui.metrics.fit import Fit, fit
from foundry_tui.services.setup import LicensePolicy
from tests.tui.frames import FrameExtension, steady
from tests.tui.overlay_host import NARROW, WIDE, Opened, opened
from tests.tui.queued import GIB, MIB, NIGHT_MS, NOON_MS, Queued, entry, partial, queued, variant

State = DownloadState
SIZES = pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
_STILL = 4
LICENSE = "MIT License\n\n" + "\n\n".join(
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and"
    f" associated documentation files, to deal in it without restriction ({number})."
    for number in range(1, 9)
)
MODEL = variant(license_text=LICENSE)
FITS = fit(
    file_bytes=None,
    catalog_bytes=2 * GIB,
    context_tokens=131_072,
    available_ram_bytes=9 * GIB,
    host_is_running=True,
)
ENTRIES = (
    entry("phi-4-mini-reasoning-with-a-long-name", 1, outlives_app=True),
    entry("qwen2.5-0.5b", 2),
    entry("llama-3.2", 3, not_before_unix_ms=NIGHT_MS),
    entry(
        "mistral",
        4,
        State.RETRYING,
        attempts=3,
        problem="Connection reset by peer",
        remedy="check the network and the proxy, then retry; what is here is kept",
        not_before_unix_ms=NOON_MS + 42_000,
    ),
    entry("模型-七", 5, State.PAUSED),
    entry(
        "broken",
        6,
        State.FAILED,
        attempts=8,
        problem="No space left on device: /cache/Microsoft/broken-1/model.onnx.data",
        remedy="remove what you can spare, such as phi (2.00 GiB); then retry: what is here is kept",
        ended_unix_ms=NOON_MS - 1000,
    ),
    entry("there", 7, State.DONE, ended_unix_ms=NOON_MS - 5000),
    entry("given-up", 8, State.CANCELLED, ended_unix_ms=NOON_MS - 9000),
)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is shown of the time of day is the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def frames(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(FrameExtension)


async def still(user: Opened[Download] | Opened[None]) -> str:
    """The screen as soon as it stands still."""
    seen: list[str] = []
    while len(seen) < _STILL or len(set(seen[-_STILL:])) > 1:
        # What lies below an overlay shows through only where the screens below are named, as the app does
        # before it paints; another look at the screen may have drawn it without.
        visible_screen_stack.set(user.app._background_screens)
        user.app.screen.refresh()
        await user.pilot.pause()  # a turn for all that is under way
        visible_screen_stack.set(user.app._background_screens)
        seen.append(steady(user.lines()))
    return seen[-1]


def left_on_disk(queue: Queued) -> None:
    queue.models = [variant("left-behind-cpu:2")]
    queue.runner.left = [
        partial("left-behind-cpu:2", 700 * MIB),
        partial(None, 3 * MIB, path="/cache/odd"),
        partial("theirs:1", MIB, is_locked=True),
        partial("模型-七-generic-cpu:1", 900 * MIB),
        partial("broken-generic-cpu:1", 1900 * MIB),
    ]


async def flowing(queue: Queued, user: Opened[None]) -> None:
    """Let the first one run for two seconds."""
    await user.until(lambda: bool(queue.runner.begun))
    queue.runner.last.flow(512 * MIB)
    await user.until(lambda: user.shows("25 %"))
    queue.pass_s(2)
    queue.runner.last.flow(64 * MIB)
    await user.until(lambda: user.shows("32.0 MiB/s") and user.shows("576 MiB"))


@SIZES
async def test_an_empty_queue(frames: SnapshotAssertion, size: tuple[int, int]) -> None:
    async with queued() as queue, opened(queue.screen(), size=size) as user:
        await user.until(lambda: user.shows("Nothing is being downloaded"))

        assert await still(user) == frames


@SIZES
async def test_a_busy_queue(frames: SnapshotAssertion, size: tuple[int, int]) -> None:
    async with queued(*ENTRIES, prepare=left_on_disk) as queue, opened(queue.screen(), size=size) as user:
        await user.until(lambda: user.shows("Left on disk"))
        await flowing(queue, user)

        assert await still(user) == frames


@SIZES
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["down"] * 3, "Connection reset"),
        (["down"] * 5, "No space left"),
        (["end", "up"], "3.00 MiB, last written"),
        (["down", "down", "down", "v"], "Failed tries"),
        (["x"], "Go on"),
    ],
    ids=["retrying", "failed", "left-on-disk", "details", "cancelling"],
)
async def test_a_row_of_a_busy_queue(
    frames: SnapshotAssertion, size: tuple[int, int], keys: Sequence[str], words: str
) -> None:
    async with queued(*ENTRIES, prepare=left_on_disk) as queue, opened(queue.screen(), size=size) as user:
        await user.until(lambda: user.shows("Left on disk"))
        await flowing(queue, user)

        await user.pilot.press(*keys)
        await user.until(lambda: user.shows(words))

        assert await still(user) == frames


@SIZES
async def test_a_full_queue(frames: SnapshotAssertion, size: tuple[int, int]) -> None:
    entries = [entry(f"model-{number:02}", number) for number in range(1, 61)]
    async with queued(*entries, runs=False) as queue, opened(queue.screen(), size=size) as user:
        await user.until(lambda: user.shows("60 waiting"))
        await user.pilot.press("end")
        await user.until(lambda: user.shows("model-60"))

        assert await still(user) == frames


@SIZES
async def test_a_queue_that_cannot_be_read(frames: SnapshotAssertion, size: tuple[int, int]) -> None:
    def broken(queue: Queued) -> None:
        queue.store.unreadable = StorageProblem("the queue cannot be read", remedy="free some space")

    async with queued(prepare=broken) as queue, opened(queue.screen(), size=size) as user:
        await user.until(lambda: user.shows("the queue cannot be read"))

        assert await still(user) == frames


def little_room(queue: Queued) -> None:
    queue.free_bytes = GIB
    queue.models = [variant(f"model-{n}-cpu:1", is_cached=True, disk_bytes=n * GIB) for n in range(1, 8)]
    queue.runner.left = [partial(MODEL.id, 200 * MIB), partial("half-cpu:1", 500 * MIB)]


def denying(queue: Queued) -> None:
    queue.policy = LicensePolicy(deny=("MIT",))


def allowing(queue: Queued) -> None:
    queue.policy = LicensePolicy(allow=("MIT",))


def unreadable(queue: Queued) -> None:
    queue.store.unreadable = StorageProblem("the queue cannot be read", remedy="free some space")


ON_A_GPU = replace(
    MODEL,
    id="phi-4-mini-cuda-gpu:3",
    device=Device.GPU,
    execution_provider="CUDAExecutionProvider",
    unavailable="needs an NVIDIA GPU (CUDA execution provider)",
)
TOO_LITTLE = fit(file_bytes=None, catalog_bytes=2 * GIB, available_ram_bytes=2 * GIB, host_is_running=True)


@SIZES
@pytest.mark.parametrize(
    ("prepare", "model", "need", "keys", "words"),
    [
        (None, MODEL, FITS, [], "not agreed to yet"),
        (allowing, MODEL, FITS, ["n", "m"], "allowed by your rule"),
        (denying, MODEL, TOO_LITTLE, [], "denied by your rule"),
        (little_room, MODEL, FITS, [], "are missing"),
        (allowing, ON_A_GPU, FITS, ["d"], "Download it all the same?"),
        (unreadable, MODEL, FITS, [], "the queue cannot be read"),
    ],
    ids=["asked", "allowed", "denied", "no-room", "cannot-run", "error"],
)
async def test_an_offer(
    frames: SnapshotAssertion,
    size: tuple[int, int],
    prepare: Callable[[Queued], None] | None,
    model: ModelVariant,
    need: Fit,
    keys: Sequence[str],
    words: str,
) -> None:
    async with queued(prepare=None, runs=False) as queue:
        if prepare is not None:
            prepare(queue)
        async with opened(queue.offer(model, need), size=size) as user:
            await user.until(lambda: not user.shows("Looking at the disk"))

            await user.pilot.press(*keys)
            await user.until(lambda: user.shows(words))

            assert await still(user) == frames
