"""What is used of the machine, read out."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from foundry_tui.domain.engine import EndpointKind
from foundry_tui.services.opened import Services
from foundry_tui.services.sampling import ResourceSampler
from tests.cli.plain_sitting import MODEL, Heard, NoGpu, heard
from tests.support.keeping import KeepingEngine, KeepingHost


def told(end: Heard, last: str) -> list[str]:
    """The lines from the one that begins so."""
    begin = next(place for place, line in enumerate(end.lines) if line.startswith(last))
    return end.lines[begin:]


async def test_the_machine_each_model_and_what_happened_are_read_out(tmp_path: Path) -> None:
    end = await heard(tmp_path, "Hi there", "/unload", "/resources")

    lines = told(end, "RAM 2.00 GiB of 8.00 GiB.")
    assert lines[1].startswith("Over the last ")
    assert lines[2:4] == [
        "CPU: now 25 percent, mean 25 percent, at most 25 percent.",
        "RAM: now 2.00 GiB, mean 2.00 GiB, at most 2.00 GiB.",
    ]
    assert lines[4].startswith("Engine RAM: unknown, ")
    assert lines[5:10] == [
        "VRAM, engine VRAM, GPU load, GPU power: unknown, no driver.",
        f"{MODEL}, unloaded: before the load unknown, loaded unknown, took unknown, at most unknown.",
        f"{MODEL} unloaded; what is still held is not known.",
        "The last 6 events, the newest first:",
        f"1 second ago: unloaded {MODEL}.",
    ]


def read_from(engine: KeepingEngine, stack: ExitStack) -> Callable[[Services], Services]:
    """Services whose sampler reads what that engine holds, often."""

    def change(services: Services) -> Services:
        client, host = services.client, KeepingHost(engine)
        sampler = ResourceSampler(lambda: (host, NoGpu()), pid=lambda: client.process_id, period_s=0.01)
        stack.enter_context(sampler.heard_by(client.chronicle.take))
        return replace(services, sampler=sampler)

    return change


async def test_what_an_unloaded_model_has_left_is_said_and_taken_back(tmp_path: Path) -> None:
    engine = KeepingEngine()
    with ExitStack() as stack:
        end = await heard(
            tmp_path,
            *("/resources", f"/load {MODEL}", f"/unload {MODEL}", "/resources", "/reclaim", "/resources"),
            engine=engine,
            start_with=None,
            change=read_from(engine, stack),
        )

    held = f"{MODEL} unloaded, not freed: 200 MiB of RAM still held"
    assert f"{held}, /reclaim restarts the host and takes it back." in end.lines
    assert told(end, f"{held}.")[1:2] == [
        "The host held 260 MiB, now 60.0 MiB: 200 MiB back (no model was loaded)."
    ]
    assert sum(held in line for line in end.lines) == 2
    assert engine.starts == 2


async def test_a_server_of_somebody_else_is_not_restarted(tmp_path: Path) -> None:
    engine = KeepingEngine(EndpointKind.FOUNDRY_V2)
    end = await heard(tmp_path, "/reclaim", engine=engine, start_with=None)

    assert end.lines[-1] == (
        "The engine at http://127.0.0.1:5273 is none of this app's own processes: what it holds is given back"
        " by a restart of that server, and not from here."
    )
    assert engine.starts == 1


async def test_before_any_model_was_loaded_it_says_so(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/resources", start_with=None)

    assert "No model was loaded so far." in end.lines


async def test_a_number_of_minutes_is_a_number(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/resources soon")

    assert told(end, "Soon")[:2] == ["Soon says not how many.", "What to do: a number from 1 to 1,440."]
