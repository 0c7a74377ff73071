"""The player in its states, at the sizes that matter.

``pytest --snapshot-update`` writes what is shown now; look at each file that it changes.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from syrupy.assertion import SnapshotAssertion

from foundry_tui.domain.bench import PlannedPrompt, RequestRun, ResourceReading
from foundry_tui.domain.chat import ChunkKind, Outcome
from foundry_tui.tui.screens.bench.replay import ReplayScreen
from tests.support.timed import MS, request, trace
from tests.tui.benched import QWEN, still
from tests.tui.frames import FrameExtension
from tests.tui.harness import HUGE
from tests.tui.overlay_host import NARROW, WIDE, opened

SIZES = pytest.mark.parametrize("size", [NARROW, WIDE, HUGE], ids=["80x24", "120x40", "200x60"])
PROMPTS = (PlannedPrompt(id="rag", text="Explain retrieval augmented generation briefly."),)
WORDS = ("It", "fetches", "documents", "that", "fit", "the", "question,", "so", "that", "模型", "rests.")
READINGS = tuple(
    ResourceReading(
        at_ns=(1000 + 100 * n) * MS,
        rss_bytes=(600 + n) << 20,
        vram_bytes=None,
        cpu_share=1.9,
        available_bytes=7 << 30,
    )
    for n in range(60)
)


def answered() -> RequestRun:
    """Eight chunks of reasoning, two halts."""
    gaps_ms = [20.0] * 90
    gaps_ms[20], gaps_ms[60] = 900.0, 400.0
    made = trace(gaps_ms, ttft_ms=300, completion=91)
    chunks = (
        replace(
            chunk,
            text=f"{WORDS[n % len(WORDS)]} ",
            kind=ChunkKind.REASONING if n < 8 else ChunkKind.CONTENT,
        )
        for n, chunk in enumerate(made.chunks)
    )
    return request(7, replace(made, chunks=tuple(chunks), headers_ns=1040 * MS), model=QWEN, prompt_id="rag")


def refused() -> RequestRun:
    made = replace(
        trace(outcome=Outcome.HTTP_ERROR, has_text=False),
        error="HTTP 503: busy [red]\x1b[31m",
        end_ns=1040 * MS,
    )
    return request(8, made, model=QWEN, prompt_id="rag")


@pytest.fixture
def frames(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(FrameExtension)


@SIZES
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (["space"], "waiting for the first token"),
        (["space", "]", "right"], "a stall"),
        (["end"], "ended: completed"),
    ],
    ids=["waiting", "halted", "ended"],
)
async def test_the_player(
    frames: SnapshotAssertion, size: tuple[int, int], keys: Sequence[str], words: str
) -> None:
    made = (answered(), refused())
    screen = ReplayScreen(made, prompts=PROMPTS, resources=READINGS, clock_s=lambda: 0.0)
    async with opened(screen, size=size) as user:
        await user.pilot.press(*keys)
        if "waiting" in words:
            await user.pilot.press(".")
        await user.until(lambda: user.shows(words))

        assert await still(user) == frames


async def test_the_player_of_a_request_without_text(frames: SnapshotAssertion) -> None:
    screen = ReplayScreen((refused(),), prompts=PROMPTS, clock_s=lambda: 0.0)
    async with opened(screen, size=NARROW) as user:
        await user.pilot.press("end")
        await user.until(lambda: user.shows("No text came"))

        assert await still(user) == frames


async def test_the_player_without_blocks(frames: SnapshotAssertion) -> None:
    screen = ReplayScreen(
        (answered(),), prompts=PROMPTS, resources=READINGS, is_plain=True, clock_s=lambda: 0.0
    )
    async with opened(screen, size=NARROW) as user:
        await user.pilot.press("space", "]", "right")
        await user.until(lambda: user.shows("a stall"))

        assert await still(user) == frames
