"""What is written to have a title in the terminal, and what stands in it."""

from dataclasses import replace
from io import StringIO

import pytest

from foundry_tui.domain.downloads import Download, DownloadPhase, DownloadState, TransferProgress
from foundry_tui.services.client import Job, JobKind
from foundry_tui.services.downloads.facade import DownloadQueue, RunningDownload
from foundry_tui.services.engine.jobs import Transfer
from foundry_tui.tui.terminal_title import TerminalTitle, can_be_titled, download_title
from tests.support.hostile import bidirectional, controls, floods, no_characters, sequences

NOW = 1_767_225_600_000
HALF = TransferProgress(
    done_bytes=50, total_bytes=100, share=0.5, bytes_per_s=1024.0, eta_s=1.0, stalled_s=0.0
)
RUNNING = RunningDownload(download_id="a", model_id="phi:1", phase=DownloadPhase.FLOWING, progress=HALF)
PHI = Download(id="a", model_id="phi:1", added_unix_ms=NOW, place=0, state=DownloadState.RUNNING)
FETCH = Job(
    kind=JobKind.FETCH,
    model_id="qwen:2",
    started_ns=0,
    transfer=Transfer(phase=DownloadPhase.FLOWING, progress=HALF),
)
HARMLESS = {chr(code) for code in range(0x20, 0x7F)} | {"↓"}


class Teletype(StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def written(*words: str | None) -> list[str]:
    """Everything that is written when these are shown one after the other."""
    said: list[str] = []
    title = TerminalTitle(said.append)
    for one in words:
        title.show(one)
    return said


def test_the_old_title_is_kept_before_the_first_and_taken_up_again_after_the_last() -> None:
    assert written("↓ 1 %", "↓ 2 %", None) == [
        "\x1b[22;2t\x1b]2;↓ 1 %\x07",
        "\x1b]2;↓ 2 %\x07",
        "\x1b]2;\x07\x1b[23;2t",
    ]


def test_what_stands_there_is_not_written_again_and_what_was_never_set_is_not_given_back() -> None:
    assert len(written("↓ 1 %", "↓ 1 %", None, None)) == 2
    assert written(None) == []


def test_nothing_in_a_models_name_is_more_than_a_letter_of_the_title() -> None:
    for payload in (*sequences(), *controls(), *bidirectional(), *no_characters(), *floods(500)):
        (text,) = written(f"↓ 1 % {payload.text}")

        body = text.removeprefix("\x1b[22;2t\x1b]2;").removesuffix("\x07")
        assert set(body) <= HARMLESS, payload.name
        assert len(body) <= 121, payload.name


def test_a_byte_that_ends_a_title_within_a_character_does_not_get_there() -> None:
    assert "✓".encode()[1] == 0x9C  # as the 8-bit string terminator

    assert written("phi ✓ 宽") == ["\x1b[22;2t\x1b]2;phi ? ?\x07"]


@pytest.mark.parametrize(
    ("term", "is_titled"),
    [("xterm-256color", True), ("tmux-256color", True), ("linux", False), ("dumb", False), ("", False)],
)
def test_only_a_terminal_that_has_a_title_is_given_one(term: str, is_titled: bool) -> None:
    assert can_be_titled(Teletype(), term) is is_titled
    assert not can_be_titled(StringIO(), term)
    assert not can_be_titled(None, term)


def test_the_title_tells_of_the_queue_else_of_what_a_server_fetches() -> None:
    queue = DownloadQueue(entries=(PHI,), running=RUNNING)
    more = replace(FETCH, model_id="other:1", transfer=None)
    loading = Job(kind=JobKind.LOAD, model_id="phi:1", started_ns=0)

    assert download_title(queue, [FETCH], NOW) == "↓ 50 % 1.00 KiB/s phi:1"
    assert download_title(DownloadQueue(), [loading, FETCH, more], NOW) == "↓ 50 % 1.00 KiB/s qwen:2, 1 more"
    assert download_title(None, [more], NOW) == "downloading other:1"
    assert download_title(None, [loading], NOW) is None
    assert download_title(DownloadQueue(entries=(replace(PHI, state=DownloadState.PAUSED),)), [], NOW) is None
