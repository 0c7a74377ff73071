"""What is known of the engine and its machine, for every front end alike."""

from foundry_tui.domain.engine import EndpointKind, EngineDead, EngineInfo, HostDeath
from foundry_tui.domain.resources import GpuSample, HostSample
from foundry_tui.reports.engine import gpu_facts, host_facts, info_facts, last_words
from foundry_tui.reports.facts import Fact


def test_what_an_engine_says_of_itself_is_harmless() -> None:
    info = EngineInfo(
        kind=EndpointKind.OPENAI,
        url="http://h",
        pid=None,
        capabilities=(),
        versions=(("server\x1b[2J", "1.0\x07"),),
        notes=("one\ntwo",),
    )

    assert info_facts(info) == (
        Fact("Kind", "openai"),
        Fact("Address", "http://h", is_quoted=True),
        Fact("server␛[2J", "1.0␇", is_quoted=True),
        Fact("Models in", None, is_quoted=True),
        Fact("Note", "one two", is_quoted=True),
    )


def test_a_process_of_our_own_is_told() -> None:
    info = EngineInfo(kind=EndpointKind.MANAGED, url=None, pid=7, capabilities=(), cache_dir="/models")

    facts = info_facts(info)

    assert Fact("Process", "7") in facts
    assert Fact("Address", None, is_quoted=True) in facts
    assert Fact("Models in", "/models", is_quoted=True) in facts


def test_a_dead_process_leaves_its_last_line_and_what_it_had_loaded() -> None:
    death = HostDeath(
        exit_code=1, signal_name=None, last_log=("first", "bad \x1b[31m"), was_loaded=("a:1", "b\x07:1")
    )

    assert last_words(EngineDead("it exited", death=death)) == [
        "Last log line: bad ␛[31m",
        "It had loaded: a:1, b␇:1.",
    ]
    assert last_words(EngineDead("it exited", death=HostDeath(exit_code=1, signal_name=None))) == []
    assert last_words(EngineDead("it never came up")) == []


def test_readings_are_told_and_what_was_not_read_is_not_known() -> None:
    host = HostSample(cpu_share=None, ram_total_bytes=8 * 1024**3, ram_used_bytes=1024**3)
    card = GpuSample(name="x", total_bytes=2 * 1024**3, used_bytes=1024**3)
    watched = GpuSample(
        name="x", total_bytes=2 * 1024**3, used_bytes=1024**3, process_bytes=1024**2, busy_share=0.5
    )

    assert host_facts(host) == (
        Fact("CPU", None),
        Fact("RAM", "1.00 GiB of 8.00 GiB"),
        Fact("engine", None),
    )
    assert gpu_facts(card) == (Fact("VRAM", "1.00 GiB of 2.00 GiB"), Fact("busy", None))
    assert gpu_facts(watched) == (
        Fact("VRAM", "1.00 GiB of 2.00 GiB (engine 1.00 MiB)"),
        Fact("busy", "50%"),
    )
