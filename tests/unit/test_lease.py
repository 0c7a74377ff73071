"""Many chats or one measurement, never both, and nobody waits."""

import pytest

from foundry_tui.domain.errors import EngineBusy
from foundry_tui.services.engine.lease import EngineLease


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
