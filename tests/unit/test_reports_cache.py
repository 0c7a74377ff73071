"""The cache in words."""

import pytest

from foundry_tui.domain.cache import (
    CacheReport,
    DiskSpace,
    MoveOutcome,
    MovePhase,
    MoveProgress,
    UnfinishedMove,
)
from foundry_tui.domain.downloads import Partial
from foundry_tui.domain.health import FileProblem, HealthState, ModelHealth
from foundry_tui.domain.models import LoadReport
from foundry_tui.reports.cache import (
    ago_in_words,
    check_words,
    health_object,
    health_words,
    left_words,
    load_memory_bytes,
    memory_words,
    move_line,
    partial_words,
    problem_lines,
    share_of,
    share_words,
    summary_words,
    total_parts,
    unfinished_words,
)

GIB = 1 << 30
NOW = 1_000_000_000


def health(
    state: HealthState, *problems: tuple[str, str], is_deep: bool = True, files: int = 3
) -> ModelHealth:
    return ModelHealth(
        model_id="m:1",
        state=state,
        checked_unix_ms=(NOW - 7200) * 1000,
        is_deep=is_deep,
        files=files,
        problems=tuple(FileProblem(*one) for one in problems),
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "just now"),
        (89, "just now"),
        (90, "2 min ago"),
        (5399, "90 min ago"),
        (5400, "2 h ago"),
        (3 * 86_400, "3 d ago"),
    ],
)
def test_a_moment_is_told_by_how_long_it_is_ago(seconds: int, words: str) -> None:
    assert ago_in_words(NOW - seconds, NOW) == words


def test_what_a_load_took_of_memory_is_what_the_process_grew_by() -> None:
    report = LoadReport(
        model_id="m:1", load_ns=1, was_loaded=False, rss_before_bytes=GIB, rss_after_bytes=3 * GIB
    )

    assert load_memory_bytes(report) == 2 * GIB
    assert memory_words(report) == "its load took +2.00 GiB of memory"


def test_memory_that_was_not_measured_is_not_nothing() -> None:
    report = LoadReport(model_id="m:1", load_ns=1, was_loaded=False)

    assert load_memory_bytes(report) is None
    assert load_memory_bytes(None) is None
    assert "not measured" in memory_words(report)


def test_a_share_is_a_number_and_a_bar() -> None:
    assert share_words(share_of(1, 4)) == "25 % ━╸────"
    assert share_words(share_of(4, 4)) == "100 % ━━━━━━"
    assert share_of(None, 4) is share_of(1, None) is share_of(1, 0) is None
    assert share_words(None) == ""


def test_a_partial_is_told_by_what_is_here_of_the_whole_if_that_is_known() -> None:
    partial = Partial(model_id="m:1", path="/p", disk_bytes=GIB, touched_unix=0, is_locked=False)

    assert partial_words(partial, 2 * GIB) == "partial, 50 % of 2.00 GiB"
    assert partial_words(partial, None) == "partial, 1.00 GiB"


def test_a_check_is_told_by_how_deep_it_went_and_when() -> None:
    sound = health(HealthState.SOUND)
    glance = health(HealthState.SOUND, is_deep=False, files=1)

    assert health_words(None, NOW) == "never checked"
    assert health_words(sound, NOW) == "sound: all of 3 files read 2 h ago"
    assert health_words(glance, NOW).startswith("nothing wrong with names, sizes and headers of 1 file,")
    assert health_words(health(HealthState.DAMAGED, ("a", "is missing")), NOW) == (
        "damaged: 1 problem, found 2 h ago"
    )
    assert health_words(health(HealthState.UNKNOWN), NOW).startswith("not known")


def test_damage_names_its_first_file_and_how_many_more() -> None:
    damaged = health(HealthState.DAMAGED, ("a\x1b.onnx", "is missing"), (".", "holds no tokenizer"))

    assert check_words(damaged) == "damaged: a␛.onnx is missing, and 1 more"
    assert problem_lines(damaged)[1] == "its folder holds no tokenizer"
    assert health_object(damaged)["problems"] == [
        {"file": "a\x1b.onnx", "what": "is missing"},
        {"file": ".", "what": "holds no tokenizer"},
    ]


def test_several_checks_are_counted_by_what_they_found() -> None:
    results = [health(HealthState.SOUND), health(HealthState.SOUND), health(HealthState.DAMAGED)]

    assert summary_words(results) == "3 models checked: 2 sound, 1 damaged"
    assert summary_words([]) == "0 models checked"


def test_a_disk_that_is_short_of_room_is_told_in_words() -> None:
    partial = Partial(model_id=None, path="/p", disk_bytes=GIB, touched_unix=0, is_locked=False)
    report = CacheReport(
        folder="/c",
        models=(),
        partials=(partial,),
        total_bytes=4 * GIB,
        space=DiskSpace(total_bytes=9 * GIB, free_bytes=GIB // 2),
    )

    assert total_parts(report) == ["4.00 GiB in all", "512 MiB free, which is little", "1 partial 1.00 GiB"]


def test_what_cannot_be_read_of_a_disk_is_not_known() -> None:
    report = CacheReport(folder="/c", models=(), partials=(), total_bytes=None, space=None)

    assert total_parts(report) == ["n/a in all", "n/a free"]


def test_a_move_tells_its_phase_and_how_far_it_is() -> None:
    progress = MoveProgress(phase=MovePhase.COMPARING, done_bytes=GIB, total_bytes=4 * GIB)

    assert move_line(progress, cells=4) == "Comparing  ━───  25 %  1.00 GiB of 4.00 GiB"
    switching = MoveProgress(phase=MovePhase.SWITCHING, done_bytes=1, total_bytes=1)
    assert move_line(switching) == "Switching: the engine starts anew on the new folder"


def test_an_unfinished_move_says_which_folder_is_in_force() -> None:
    begun = UnfinishedMove(source="/old", target="/new", is_switched=False)
    switched = UnfinishedMove(source="/old", target="/new", is_switched=True)

    assert unfinished_words(begun).endswith("The first is in force.")
    assert "The old files in /old are still there" in unfinished_words(switched)


def test_what_is_left_of_the_old_folder_is_named() -> None:
    moved = MoveOutcome(source="/old", target="/new", moved_bytes=1)
    left = MoveOutcome(source="/old", target="/new", moved_bytes=1, left=("a", "b", "c", "d"))

    assert left_words(moved) is None
    assert (left_words(left) or "").startswith("/old still has a, b, c and 1 more:")
