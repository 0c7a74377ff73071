"""Many chats or one measurement, never both, and nobody waits."""

import asyncio
import os
from pathlib import Path

import pytest

from foundry_tui.domain.errors import EngineBusy
from foundry_tui.services.engine.lease import EngineLease
from foundry_tui.storage import FileLock


def test_a_free_lease_has_no_holders() -> None:
    assert EngineLease().holders == ()


def test_several_share_the_engine_and_each_is_named() -> None:
    lease = EngineLease()

    with lease.hold("a chat"), lease.hold("another"):
        assert lease.holders == ("a chat", "another")

    assert not lease.holders


def test_one_of_two_of_the_same_name_can_leave() -> None:
    lease = EngineLease()

    with lease.hold("a chat"):
        with lease.hold("a chat"):
            pass
        assert lease.holders == ("a chat",)


@pytest.mark.parametrize("second_is_exclusive", [False, True])
def test_whoever_comes_to_a_measurement_is_told_at_once_by_whom(second_is_exclusive: bool) -> None:
    lease = EngineLease()

    with lease.hold("benchmark 7", exclusive=True):
        with pytest.raises(EngineBusy) as caught, lease.hold("a chat", exclusive=second_is_exclusive):
            pytest.fail("it was let in")

        assert str(caught.value) == "the engine is in use: benchmark 7"
        assert caught.value.remedy == "wait until it ends, or stop it"
        assert lease.holders == ("benchmark 7",)


def test_a_measurement_does_not_begin_beside_a_chat() -> None:
    lease = EngineLease()

    with lease.hold("a chat"), lease.hold("loading m:1"):
        with pytest.raises(EngineBusy) as caught, lease.hold("benchmark", exclusive=True):
            pytest.fail("it was let in")

        assert str(caught.value) == "the engine is in use: a chat, loading m:1"


def test_who_was_refused_has_not_changed_who_may_come() -> None:
    lease = EngineLease()

    with lease.hold("a chat"):
        with pytest.raises(EngineBusy), lease.hold("benchmark", exclusive=True):
            pytest.fail("it was let in")
        with lease.hold("another chat"):
            assert lease.holders == ("a chat", "another chat")


def test_after_a_measurement_chats_may_come_again() -> None:
    lease = EngineLease()

    with lease.hold("benchmark", exclusive=True):
        pass

    with lease.hold("a chat"), lease.hold("another"):
        assert lease.holders == ("a chat", "another")


@pytest.mark.parametrize("exclusive", [False, True])
def test_an_error_in_the_block_frees_the_engine(exclusive: bool) -> None:
    lease = EngineLease()

    with pytest.raises(ZeroDivisionError), lease.hold("work", exclusive=exclusive):
        raise ZeroDivisionError

    with lease.hold("benchmark", exclusive=True):
        assert lease.holders == ("benchmark",)


def test_what_belongs_to_a_measurement_is_let_into_it() -> None:
    lease = EngineLease()

    with lease.measure("benchmark 7"):
        with lease.hold("loading m:1"), lease.hold("a request"):
            within = lease.holders
        after = lease.holders

    assert within == ("benchmark 7", "loading m:1", "a request")
    assert after == ("benchmark 7",)
    assert not lease.holders


async def test_a_task_that_a_measurement_starts_belongs_to_it_and_an_older_one_does_not() -> None:
    lease = EngineLease()
    begun = asyncio.Event()

    async def chat() -> str:
        await begun.wait()
        try:
            with lease.hold("a chat"):
                return "let in"
        except EngineBusy as error:
            return error.message

    stranger = asyncio.create_task(chat())
    await asyncio.sleep(0)
    with lease.measure("benchmark 7"):
        own = asyncio.create_task(chat())
        begun.set()
        said = await stranger, await own

    assert said == ("the engine is in use: benchmark 7", "let in")


def two_processes(folder: Path) -> tuple[EngineLease, EngineLease]:
    """Two that share a data directory: of two locks on one file only one is held, as of two processes."""
    path = folder / "measurement.lock"
    return EngineLease(FileLock(path)), EngineLease(FileLock(path))


def test_a_measurement_of_another_process_keeps_everybody_away_and_is_named(tmp_path: Path) -> None:
    here, there = two_processes(tmp_path)

    with there.measure("benchmark 7"):
        with pytest.raises(EngineBusy) as chat, here.hold("a chat"):
            pytest.fail("it was let in")
        with pytest.raises(EngineBusy) as measurement, here.measure("benchmark 8"):
            pytest.fail("it was let in")
        seen = here.holders

    named = f"benchmark 7, process {os.getpid()}"
    assert seen == (named,)
    assert chat.value.message == measurement.value.message == f"the engine is in use: {named}"
    with here.hold("a chat"):
        assert here.holders == ("a chat",)


def test_a_measurement_that_ends_in_an_error_lets_other_processes_in(tmp_path: Path) -> None:
    here, there = two_processes(tmp_path)

    with pytest.raises(ZeroDivisionError), there.measure("benchmark 7"):
        raise ZeroDivisionError

    with here.measure("benchmark 8"):
        assert here.holders == ("benchmark 8",)


def test_a_lock_that_cannot_be_read_keeps_nobody_from_chatting(tmp_path: Path) -> None:
    lease = EngineLease(FileLock(tmp_path))  # a folder

    with lease.hold("a chat"):
        assert lease.holders == ("a chat",)
