"""Memory that really runs out: the engine's process under limits that the kernel keeps."""

import asyncio
import re
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from foundry_tui.demo import DEMO_MODEL_ID, demo_registration
from foundry_tui.domain.chat import ChatMessage, ChatOptions, Outcome, Role
from foundry_tui.domain.engine import EngineDead, EngineReady
from foundry_tui.domain.errors import EngineDied, EngineError, GenerationFailed, KilledForMemory, OutOfMemory
from foundry_tui.domain.models import Registration
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.resources.host import PsutilHostProbe
from foundry_tui.services.client import ClientService
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.wiring.memory import memory_sources
from tests.contract.runtime import offline_runtime
from tests.support.processes import END_S

MIB = 1_048_576
SMOLLM = "smollm2-135m-generic-cpu:1"
GROUPS = Path("/sys/fs/cgroup")

pytestmark = [
    pytest.mark.native,
    pytest.mark.smollm,
    pytest.mark.skipif(sys.platform != "linux", reason="limits of a process that runs are Linux's own"),
]


@asynccontextmanager
async def opened(smollm_folder: Path, folder: Path) -> AsyncGenerator[ClientService, None]:
    """A service over the real runtime, with the demo model in memory."""
    client = ClientService(
        HostedEngine(offline_runtime(folder), log_dir=folder / "host-logs"),
        EngineLease(),
        registrations=(demo_registration(), Registration(path=str(smollm_folder), model_id=SMOLLM)),
        host_probe=PsutilHostProbe,
        wants_public=False,
        memory=memory_sources(folder, limit_percent=lambda: 100),
    )
    try:
        await client.start()
        await client.load(DEMO_MODEL_ID)
        yield client
    finally:
        await client.aclose()


def limit_addresses(client: ClientService, more_bytes: int) -> None:
    """Let the engine's process have that much more of addresses than it has now."""
    import resource  # not on Windows

    pid = client.process_id
    assert pid is not None
    most = psutil.Process(pid).memory_info().vms + more_bytes
    resource.prlimit(pid, resource.RLIMIT_AS, (most, most))


@pytest.fixture
def tight_group() -> Iterator[Path]:
    """A control group of 200 MiB; skipped where none may be made."""
    name = f"foundry-tui-test-{psutil.Process().pid}"
    is_second = (GROUPS / "cgroup.controllers").is_file()
    folder = (GROUPS if is_second else GROUPS / "memory") / name
    limit = "memory.max" if is_second else "memory.limit_in_bytes"
    try:
        folder.mkdir()
        (folder / limit).write_text(str(200 * MIB))
        if is_second:
            (folder / "memory.swap.max").write_text("0")
    except OSError as error:
        with suppress(OSError):
            folder.rmdir()
        pytest.skip(f"no control group can be made here: {error}")
    yield folder
    folder.rmdir()


async def test_a_load_beyond_the_limit_of_the_process_says_what_it_needs_and_what_to_do(
    smollm_folder: Path, tmp_path: Path
) -> None:
    async with opened(smollm_folder, tmp_path) as client:
        limit_addresses(client, 120 * MIB)  # half of what the load takes

        # The runtime catches its bad_alloc in most places, and is ended by SIGABRT in others.
        with pytest.raises((OutOfMemory, KilledForMemory)) as raised:
            await client.load(SMOLLM)

    words, remedy = raised.value.message, raised.value.remedy or ""
    # Twice 112 MiB of files, and what the demo model's load took beside its weights.
    needs = r"it needs about 2[34]\d MiB of RAM, and [\d.]+ [MG]iB are free"
    assert re.match(rf"there (is|was) not enough memory for {SMOLLM}: {needs} \(", words)
    assert "raise what the engine's process may take (ulimit -v, its control group), or " in remedy
    assert f"unload {DEMO_MODEL_ID} (its load took 1" in remedy


async def test_an_answer_beyond_the_limit_of_the_process_says_so_and_the_engine_goes_on(
    smollm_folder: Path, tmp_path: Path
) -> None:
    error, is_up = await starved_answer(smollm_folder, tmp_path / "1")
    if isinstance(error, EngineDied):
        # The runtime catches its bad_alloc in most places, and is ended by SIGABRT in others, rarely here.
        error, is_up = await starved_answer(smollm_folder, tmp_path / "2")

    assert isinstance(error, GenerationFailed), error
    assert error.outcome is Outcome.OUT_OF_MEMORY
    assert error.message.startswith(f"there is not enough memory to answer with {SMOLLM} in a")
    assert "a shorter conversation" in (error.remedy or "")
    assert is_up


async def starved_answer(model_folder: Path, folder: Path) -> tuple[EngineError, bool]:
    """What an answer fails with for which the engine's process gets no memory, and whether that is up."""
    asked = (ChatMessage(role=Role.USER, text="Tell me about the sea and the ships on it. " * 60),)
    async with opened(model_folder, folder) as client:
        await client.load(SMOLLM)
        limit_addresses(client, 30 * MIB)
        request = client.prepare(client.find(SMOLLM), asked, ChatOptions(max_tokens=600))
        with pytest.raises(EngineError) as raised:  # noqa: PT012 - it is raised while it is read
            async with client.chat(request) as events:
                async for _ in events:
                    continue
        return raised.value, isinstance(client.engine_state, EngineReady)


async def test_a_load_for_which_the_kernel_kills_the_engine_is_told_from_any_other_kill(
    smollm_folder: Path, tmp_path: Path, tight_group: Path
) -> None:
    async with opened(smollm_folder, tmp_path) as client:
        (tight_group / "cgroup.procs").write_text(str(client.process_id))

        with pytest.raises(KilledForMemory) as raised:
            await client.load(SMOLLM)
        state = client.engine_state

    assert raised.value.message.startswith(f"there was not enough memory for {SMOLLM}: it needs about 2")
    assert (raised.value.remedy or "").startswith("restart the engine; ")
    assert isinstance(state, EngineDead)
    assert state.reason == "the engine's process was killed by the system for want of memory"


async def test_a_kill_by_hand_is_not_told_as_want_of_memory(smollm_folder: Path, tmp_path: Path) -> None:
    async with opened(smollm_folder, tmp_path) as client:
        psutil.Process(client.process_id).kill()
        async with asyncio.timeout(END_S):
            async for state in client.engine_states():
                if isinstance(state, EngineDead):
                    break

    assert isinstance(state, EngineDead)
    assert state.death is not None
    assert not state.death.is_for_memory


async def test_the_second_load_is_estimated_from_the_first(smollm_folder: Path, tmp_path: Path) -> None:
    async with opened(smollm_folder, tmp_path) as client:
        await client.load(SMOLLM)
    async with opened(smollm_folder, tmp_path) as client:
        report = await client.load(SMOLLM)
    async with opened(smollm_folder, tmp_path) as client:
        weighed = await client.memory.weigh(client.find(SMOLLM))

    assert report.rss_before_bytes is not None
    assert report.rss_after_bytes is not None
    taken = report.rss_after_bytes - report.rss_before_bytes
    assert weighed.load_bytes == pytest.approx(taken, rel=0.05)
    assert weighed.terms[0].label == "the model in memory, median of its 2 loads here"
    assert weighed.unknown == ()
    assert weighed.error is not None
    assert weighed.error.loads == 5  # the demo model in each life, and twice this one
    assert weighed.error.worst_share is not None
    assert weighed.error.worst_share < 0.25
