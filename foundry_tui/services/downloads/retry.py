"""What a failed download leads to: another try at its time, or an end with a remedy; and quiet hours."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from foundry_tui.domain.downloads import Download, DownloadFailure, DownloadState
from foundry_tui.domain.text import clean_line

__all__ = ["DIED", "PROGRESS_BYTES", "RetryPolicy", "after_failure", "next_quiet_unix_ms"]

DIED = "the process that fetched it was ended from outside"

PROGRESS_BYTES = 16 << 20
"""What a try must fetch to count as progress: the runtime notes that often what it need not fetch again."""

_MESSAGE_LIMIT = 500
_MS_PER_S = 1000
_REMEDIES = {
    DownloadFailure.NETWORK: "check the network and the proxy, then retry; what is here is kept",
    DownloadFailure.DISK_FULL: "free some space, then retry; what is here is kept",
    DownloadFailure.STORAGE: "check that the model cache can be written, then retry",
    DownloadFailure.NOT_FOUND: "refresh the list of models: there may be a newer version",
    DownloadFailure.OTHER: "retry; the log says more",
}
_DIED_REMEDY = "close other programs if memory is short, then retry; what is here is kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When a failure that may pass is tried again.

    The wait before try n + 1, after n failures in a row, is ``min(longest_s, first_s * 2**(n - 1))`` times
    a random factor from 0.5 to 1, so that many who lost one server do not come back to it at once.

    Attributes:
        tries: Failures in a row after which it is given up.
    """

    first_s: float = 2.0
    longest_s: float = 300.0
    tries: int = 8

    def wait_s(self, failures: int, chance: float) -> float:
        """The wait after so many failures, at least one; ``chance`` is a random number from 0 to 1."""
        doubled = self.first_s * 2.0 ** min(failures - 1, 60)
        return min(self.longest_s, doubled) * (0.5 + 0.5 * chance)


def after_failure(
    entry: Download,
    failure: DownloadFailure | None,
    message: str | None,
    *,
    fetched_bytes: int,
    now_unix_ms: int,
    policy: RetryPolicy,
    chance: float,
    remedy: str | None = None,
) -> Download:
    """What becomes of ``entry``.  Only a lost network and a process that died are worth another try.

    Failures count in a row: one after at least ``PROGRESS_BYTES`` is the first again, for a link that
    breaks every few minutes still brings the model in.

    Args:
        entry: As it was begun.
        failure: Why; None if the process died without a word.
        message: The reason in words, as it came.
        fetched_bytes: What this try brought.
        now_unix_ms: The time of day.
        policy: When it is tried again.
        chance: A random number from 0 to 1.
        remedy: What is better to say than what always holds for such a failure.
    """
    attempts = 1 if fetched_bytes >= PROGRESS_BYTES else entry.attempts + 1
    problem = DIED if failure is None else clean_line(message or "no reason was given", _MESSAGE_LIMIT)
    always = _DIED_REMEDY if failure is None else _REMEDIES[failure]
    failed = replace(entry, attempts=attempts, problem=problem, remedy=remedy or always)
    if failure in (None, DownloadFailure.NETWORK) and attempts < policy.tries:
        wait_ms = round(policy.wait_s(attempts, chance) * _MS_PER_S)
        return replace(failed, state=DownloadState.RETRYING, not_before_unix_ms=now_unix_ms + wait_ms)
    return replace(failed, state=DownloadState.FAILED, ended_unix_ms=now_unix_ms)


def next_quiet_unix_ms(now_unix_ms: int, hour: int, *, zone: tzinfo | None = None) -> int:
    """The next time the clock on the wall shows ``hour`` o'clock, from 0 to 23; None is this machine's zone.

    On a day whose clock leaves that hour out it is when the next one begins.
    """
    now = datetime.fromtimestamp(now_unix_ms / _MS_PER_S, tz=zone)
    quiet = now.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    if quiet.timestamp() * _MS_PER_S <= now_unix_ms:
        quiet += timedelta(days=1)
    return round(quiet.timestamp() * _MS_PER_S)
