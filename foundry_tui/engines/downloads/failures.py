"""Why a download failed: the runtime's error code and text become what decides about another try."""

import re
from typing import Final

from foundry_tui.domain.downloads import DownloadFailure
from foundry_tui.engines.reasons import plain_reason

__all__ = ["NETWORK_CODE", "download_failure", "is_cut_off"]

NETWORK_CODE: Final = 6
"""``FoundryLocalException.error_code`` of everything that a server or the way to it did."""

# Of the errors of Linux and macOS ENOSPC and EDQUOT, of Windows ERROR_DISK_FULL and ERROR_HANDLE_DISK_FULL.
_FULL = re.compile(
    r"\(errno (?:28|69|122)\)|error (?:39|112)\b|no space left|not enough space|disk (?:is )?full"
    r"|quota exceeded",
    re.IGNORECASE,
)
# Where the runtime and the Azure library put the status, before anything that the server itself wrote.
_STATUS = re.compile(r"\bHTTP (\d{3})\b|failed to (?:list blobs|download blob '[^']{0,300}'): (\d{3})\b")
_GONE = frozenset({"404", "410"})
# A refusal without a body, or a page of a login portal, ends in the runtime's own JSON parser with code 2.
_LINK = re.compile(
    r"json\.exception\.parse_error|timed out|transport failure|could not connect", re.IGNORECASE
)
_STORAGE = re.compile(
    r"\(errno \d+\)|file_writer|filewriter|filesystem error|failed to pre-allocate|permission denied"
    r"|read-only file system|access is denied|failed to (?:open|create|write|rename)",
    re.IGNORECASE,
)
# What the runtime logs, and does not raise, where a catalog gives no answer.
_CUT_OFF = ("failed to fetch catalog", "FetchModelsByIds: failed")
_MATCHED = 8_000


def download_failure(error_code: int | None, text: str) -> tuple[DownloadFailure, str]:
    """What kind of failure it is, and the reason in words.

    Args:
        error_code: ``FoundryLocalException.error_code``; None for any other exception.
        text: Its message, in part by a server.
    """
    matched, reason = text[:_MATCHED], plain_reason(text)
    if error_code == NETWORK_CODE:
        # Only this is looked for in words that a server may have chosen.
        status = _STATUS.search(matched)
        if status is not None and (status[1] or status[2]) in _GONE:
            return DownloadFailure.NOT_FOUND, reason
        return DownloadFailure.NETWORK, reason
    if _FULL.search(matched):
        return DownloadFailure.DISK_FULL, f"the disk is full: {reason}"
    if _STORAGE.search(matched):
        return DownloadFailure.STORAGE, f"the model's folder cannot be written: {reason}"
    if _LINK.search(matched):
        return DownloadFailure.NETWORK, reason
    return DownloadFailure.OTHER, reason


def is_cut_off(log: str) -> bool:
    """Whether a runtime that logged this could not ask all of its catalogs."""
    return any(phrase in log for phrase in _CUT_OFF)
