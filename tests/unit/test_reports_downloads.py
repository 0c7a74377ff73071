"""Downloads, room, memory and licences in words."""

from datetime import UTC
from typing import TypeAlias

import pytest

from foundry_tui.domain.downloads import Download, DownloadPhase, DownloadState, Partial, TransferProgress
from foundry_tui.domain.models import CatalogKind, Device, ModelVariant
from foundry_tui.domain.resources import GpuSample, GpuSamples, HostSample, ResourceSample
from foundry_tui.metrics.fit import MemoryNow, fit, fit_of
from foundry_tui.reports.download_offer import (
    license_agreed,
    license_asked,
    license_denied,
    machine_words,
    removable_lines,
    room_facts,
    room_words,
)
from foundry_tui.reports.downloads import (
    ASCII_SIGNS,
    bar,
    bytes_of_bytes,
    detail_lines,
    download_facts,
    moment_in_words,
    progress_line,
    progress_words,
    share_in_words,
    short_span_in_words,
    short_words,
    speed_in_words,
    state_words,
    title_words,
)
from foundry_tui.reports.fit import fit_lines, fit_words
from foundry_tui.services.downloads.board import RunningDownload
from foundry_tui.services.downloads.preflight import Preflight, Removable
from foundry_tui.services.engine.memory import memory_now

MIB, GIB = 1 << 20, 1 << 30
NOW = 1_767_355_200_000  # noon UTC on 2 January 2026
State: TypeAlias = DownloadState
Phase: TypeAlias = DownloadPhase


def entry(
    state: State = State.QUEUED, *, not_before: int | None = None, problem: str | None = None
) -> Download:
    return Download(
        id="e",
        model_id="phi:1",
        added_unix_ms=NOW - 3_600_000,
        place=1,
        state=state,
        size_bytes=2 * GIB,
        not_before_unix_ms=not_before,
        attempts=3,
        problem=problem,
        remedy=None if problem is None else "wait\x1b[2J",
        outlives_app=True,
    )


def running(
    phase: Phase = Phase.FLOWING,
    *,
    done: int = 512 * MIB,
    total: int | None = 2 * GIB,
    speed: float | None = 3.25 * MIB,
    stalled: float = 0.0,
) -> RunningDownload:
    share = None if total is None else done / total
    eta = None if total is None or not speed or stalled else (total - done) / speed
    progress = TransferProgress(
        done_bytes=done, total_bytes=total, share=share, bytes_per_s=speed, eta_s=eta, stalled_s=stalled
    )
    return RunningDownload(download_id="e", model_id="phi:1", phase=phase, progress=progress)


def room(**known: object) -> Preflight:
    facts: dict[str, object] = {
        "model_id": "phi:1",
        "size_bytes": 2 * GIB,
        "present_bytes": 0,
        "needed_bytes": 2 * GIB + 100 * MIB,
        "free_bytes": 10 * GIB,
    }
    return Preflight(**(facts | known))  # type: ignore[arg-type] # each by its name


@pytest.mark.parametrize(
    ("share", "words"), [(None, "n/a"), (0.0, "0 %"), (0.29, "29 %"), (0.999999, "99 %"), (1.0, "100 %")]
)
def test_a_share_is_cut_and_only_all_of_it_is_a_hundred(share: float | None, words: str) -> None:
    assert share_in_words(share) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (12.9, "12 s"),
        (99.9, "99 s"),
        (100, "1 min"),
        (5_999, "99 min"),
        (6_000, "1.6 h"),
        (172_799, "47.9 h"),
        (172_800, "2 d"),
    ],
)
def test_a_span_is_one_short_unit(seconds: float, words: str) -> None:
    assert short_span_in_words(seconds) == words


def test_speed_and_bytes_say_what_is_not_known() -> None:
    assert speed_in_words(3.25 * MIB) == "3.25 MiB/s"
    assert speed_in_words(None) == "n/a"
    assert bytes_of_bytes(512 * MIB, 2 * GIB) == "512 MiB of 2.00 GiB"
    assert bytes_of_bytes(512 * MIB, None) == "512 MiB"


@pytest.mark.parametrize(
    ("share", "drawn"),
    [(None, "────"), (0.0, "────"), (0.125, "╸───"), (0.5, "━━──"), (0.999, "━━━╸"), (1.0, "━━━━")],
)
def test_a_bar_is_full_only_for_all_of_it(share: float | None, drawn: str) -> None:
    assert bar(share, 4) == drawn


def test_a_bar_can_be_drawn_in_plain_signs() -> None:
    assert bar(0.4, 5, ASCII_SIGNS) == "##---"
    assert bar(0.3, 5, ASCII_SIGNS) == "#>---"


def test_a_moment_within_a_day_is_a_time_and_another_one_has_its_date() -> None:
    assert moment_in_words(NOW + 14 * 3_600_000, NOW, UTC) == "02:00"
    assert moment_in_words(NOW + 26 * 3_600_000, NOW, UTC) == "2026-01-03 14:00"
    assert moment_in_words(10**18, NOW, UTC) == "n/a"


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (entry(), "queued"),
        (entry(not_before=NOW + 14 * 3_600_000), "at 02:00"),
        (entry(not_before=NOW - 1), "queued"),
        (entry(not_before=NOW + 50 * 3_600_000), "2026-01-04"),
        (entry(State.RETRYING, not_before=NOW + 11_500), "retry in 12 s"),
        (entry(State.RETRYING, not_before=NOW - 1), "retrying"),
        (entry(State.VERIFYING), "checking"),
        (entry(State.PAUSED), "paused"),
        (entry(State.RUNNING), "downloading"),
    ],
)
def test_the_state_of_an_entry_that_nobody_looks_at(one: Download, words: str) -> None:
    assert state_words(one, None, NOW, zone=UTC) == words


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (running(), "downloading"),
        (running(stalled=12.7), "stalled 12 s"),
        (running(Phase.STARTING), "starting"),
        (running(Phase.STARTING, stalled=30), "starting 30 s"),
        (running(Phase.WAITING), "waiting"),
        (running(Phase.DONE), "complete"),
        (running(Phase.DIED), "ending"),
    ],
)
def test_the_state_of_an_entry_that_runs(now: RunningDownload, words: str) -> None:
    assert state_words(entry(State.RUNNING), now, NOW) == words


@pytest.mark.parametrize(
    ("now", "cells", "words"),
    [
        (running(), None, "↓ 25 % 3.25 MiB/s"),
        (running(), 11, "↓ 25 %"),
        (running(speed=None), None, "↓ 25 %"),
        (running(total=None), None, "↓ 512 MiB 3.25 MiB/s"),
        (running(stalled=12), None, "↓ 25 % stalled 12 s"),
        (running(stalled=12), 12, "stalled 12 s"),
        (running(Phase.STARTING), None, "↓ starting"),
    ],
)
def test_the_short_form_says_as_much_as_there_is_room_for(
    now: RunningDownload, cells: int | None, words: str
) -> None:
    assert short_words(entry(State.RUNNING), now, NOW, cells=cells) == words


def test_where_the_model_itself_tells_more_there_is_no_short_form() -> None:
    assert short_words(entry(State.DONE), None, NOW) is None
    assert short_words(entry(State.CANCELLED), None, NOW) is None
    assert short_words(entry(State.FAILED), None, NOW) == "download failed"
    assert short_words(entry(State.FAILED), None, NOW, cells=11) == "failed"


def test_the_title_tells_of_what_is_under_way_and_how_many_wait() -> None:
    assert title_words([entry()], None, NOW) is None
    assert title_words([entry(State.RUNNING), entry()], running(), NOW) == "↓ 25 % 3.25 MiB/s phi:1, 1 more"
    assert title_words([entry(State.VERIFYING)], None, NOW) == "checking phi:1"


def test_progress_is_read_aloud_without_a_bar() -> None:
    assert progress_words(running()) == "25 %, 512 MiB of 2.00 GiB, 3.25 MiB/s, 7 min left"
    assert progress_words(running(stalled=40)) == "25 %, 512 MiB of 2.00 GiB, nothing came for 40 s"
    assert progress_words(running(total=None, speed=None)) == "512 MiB"


def test_numbers_of_a_line_keep_their_places_while_they_grow() -> None:
    early = progress_line(running(done=9 * MIB, speed=900 * 1024), cells=70, signs=ASCII_SIGNS)
    late = progress_line(running(done=1023 * MIB), cells=70, signs=ASCII_SIGNS)

    assert early == "-----------------   0 %  9.00 MiB of 2.00 GiB   900 KiB/s  38 min left"
    assert late == "########---------  49 %  1023 MiB of 2.00 GiB  3.25 MiB/s  5 min left"


@pytest.mark.parametrize("cells", [20, 40, 60, 80, 200])
def test_a_line_never_takes_more_than_its_cells(cells: int) -> None:
    assert len(progress_line(running(), cells=cells)) <= cells


def test_the_details_of_a_failure_say_why_and_what_to_do_and_harm_nobody() -> None:
    lines = detail_lines(entry(State.FAILED, problem="gone\nat once\x07"), None, NOW, here_bytes=MIB)

    assert lines == ["given up after 3 tries, 1.00 MiB are kept", "gone at once␇", "→ wait␛[2J"]


def test_the_details_of_what_waits_say_until_when() -> None:
    at_night = entry(not_before=NOW + 14 * 3_600_000)
    again = entry(State.RETRYING, not_before=NOW + 42_000)

    assert detail_lines(at_night, None, NOW, zone=UTC) == ["starts at 02:00", "goes on when the app is quit"]
    assert detail_lines(again, None, NOW)[0] == "next try in 42 s, after 3 tries"


def test_what_another_process_runs_is_told() -> None:
    lines = detail_lines(entry(State.RUNNING), None, NOW, is_runner=False)

    assert lines[1] == "runs in another process of the app"


def test_all_facts_of_an_entry_are_harmless_lines() -> None:
    left = Partial(model_id="phi:1", path="/c/\x1b]0;x", disk_bytes=MIB, touched_unix=0, is_locked=False)
    facts = {
        fact.label: fact.value
        for fact in download_facts(entry(State.FAILED, problem="no\x00route"), None, left, NOW, zone=UTC)
    }

    assert facts["On disk"] == "1.00 MiB"
    assert facts["Asked for"] == "11:00"
    assert facts["Problem"] == "no␀route"
    assert facts["Folder"] == "/c/␛]0;x"


def test_room_is_told_with_its_arithmetic() -> None:
    here = room(present_bytes=100 * MIB, needed_bytes=2 * GIB, promised_bytes=3 * GIB)

    facts = {fact.label: fact.value for fact in room_facts(here)}

    assert facts == {
        "Size": "2.00 GiB, 100 MiB of it are here",
        "Needs": "2.00 GiB = 1.05 × 2.00 GiB - 100 MiB",
        "Free": "10.0 GiB, 3.00 GiB of it for downloads before this one",
        "Disk": "enough room: 5.00 GiB stay free",
    }


def test_missing_room_is_told_as_a_number_and_an_unknown_size_as_unknown() -> None:
    assert room_words(room(free_bytes=2 * GIB)) == "not enough room: 100 MiB are missing"
    assert room_words(room(size_bytes=None, needed_bytes=None)).startswith("n/a")


def test_what_can_be_removed_is_listed_by_size_and_the_rest_summed_up() -> None:
    ones = [Removable(name=f"m\x1b{n}", disk_bytes=n * GIB, is_partial=n == 3) for n in (3, 2, 1)]

    assert removable_lines(ones, 2) == [
        "3.00 GiB  m␛3 (unfinished download)",
        "2.00 GiB  m␛2",
        "1.00 GiB  in 1 more",
    ]


@pytest.mark.parametrize(
    ("free", "words"),
    [
        (9 * GIB, "fits: needs ~4.83 GiB of RAM, 9.00 GiB are free"),
        (5 * GIB, "tight: needs ~4.83 GiB of RAM, 5.00 GiB are free"),
        (4 * GIB, "does not fit: needs ~4.83 GiB of RAM, 4.00 GiB are free, 854 MiB too little"),
        (None, "needs ~4.83 GiB of RAM; how much of it is free is not known"),
    ],
)
def test_memory_has_a_verdict_and_both_its_numbers(free: int | None, words: str) -> None:
    need = fit(file_bytes=None, catalog_bytes=2 * GIB, available_ram_bytes=free, host_is_running=True)

    assert fit_words(need) == words


def test_memory_of_a_model_without_a_size_is_not_known() -> None:
    need = fit(file_bytes=None, available_ram_bytes=GIB)

    assert fit_words(need).startswith("n/a")
    assert fit_lines(need) == []


def test_the_arithmetic_names_every_term_and_marks_what_is_assumed() -> None:
    need = fit(
        file_bytes=GIB,
        context_tokens=8192,
        available_ram_bytes=9 * GIB,
        host_is_running=True,
    )

    assert fit_lines(need) == [
        "   1.00 GiB  weights",
        "+ ~1.00 GiB  weights packed for the processor",
        "+  ~419 MiB  keys and values of 4,096 tokens, twice",
        "+ ~15.0 MiB  the runtime's own",
        "= ~2.42 GiB  for a conversation of 4,096 tokens",
        "   9.00 GiB  of RAM can be had now",
        "  ~2.83 GiB  if its whole context were used",
        "Not known yet: its layers, heads and vocabulary",
        "~ rests on a rule of thumb",
    ]


def variant(device: Device, unavailable: str | None = None) -> ModelVariant:
    return ModelVariant(
        id="phi:1",
        alias="phi",
        catalog=CatalogKind.PUBLIC,
        device=device,
        size_bytes=GIB,
        execution_provider="CUDAExecutionProvider",
        unavailable=unavailable,
    )


def test_the_freest_gpu_counts_for_a_model_that_runs_on_one() -> None:
    sample = ResourceSample(
        at_ns=0,
        late_ns=0,
        host=HostSample(cpu_share=None, ram_total_bytes=8 * GIB, ram_used_bytes=7 * GIB),
        gpu=GpuSamples(
            gpus=(
                GpuSample(name="a", total_bytes=8 * GIB, used_bytes=6 * GIB),
                GpuSample(name="b", total_bytes=8 * GIB, used_bytes=4 * GIB),
            )
        ),
    )

    on_gpu = fit_of(variant(Device.GPU), memory_now(sample), host_is_running=True)
    on_cpu = fit_of(variant(Device.CPU), memory_now(sample), host_is_running=True)
    unread = fit_of(variant(Device.GPU), MemoryNow(), host_is_running=True)

    assert (on_gpu.memory, on_gpu.available_bytes) == ("GPU memory", 4 * GIB)
    assert (on_cpu.memory, on_cpu.available_bytes) == ("RAM", GIB)
    assert unread.available_bytes is None


def test_a_machine_that_cannot_run_it_is_told_with_the_reason() -> None:
    assert machine_words(variant(Device.GPU, "needs\x07 a GPU")) == (
        "gpu, CUDAExecutionProvider: this machine cannot run it: needs␇ a GPU"
    )
    assert "nothing speaks against" in machine_words(variant(Device.GPU))


def test_a_licence_is_named_with_why_it_may_or_may_not() -> None:
    assert license_agreed("MIT", None) == "MIT, you agreed to it"
    assert license_agreed("MIT", "mit*") == "MIT, allowed by your rule “mit*”"
    assert license_asked("a\x1bb") == "a␛b, as its publisher declares it; not agreed to yet"
    assert license_asked(None).startswith("none named")
    assert license_denied("X", "*") == "X, denied by your rule “*” in licenses.deny"
