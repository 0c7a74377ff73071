"""Exit codes, a promise to scripts."""

from enum import IntEnum

from foundry_tui.domain.errors import (
    BadInput,
    EngineDied,
    EngineUnavailable,
    FoundryTuiError,
    ModelNotFound,
    NotSupported,
    StorageProblem,
)

__all__ = ["ExitCode", "code_of"]


class ExitCode(IntEnum):
    """What a command tells its caller."""

    DONE = 0
    FAILED = 1
    """The work failed: a model did not load, an answer broke, a check did not hold."""
    USAGE = 2
    """Wrong usage, or an input that cannot be used; nothing was started or changed."""
    UNREACHABLE = 3
    """The engine or endpoint does not answer."""
    LIMIT_BROKEN = 4
    INTERRUPTED = 130


def code_of(error: FoundryTuiError) -> ExitCode:
    """The exit code that ``error`` deserves."""
    match error:
        case BadInput() | StorageProblem() | ModelNotFound() | NotSupported():
            return ExitCode.USAGE
        case EngineUnavailable() | EngineDied():
            return ExitCode.UNREACHABLE
        case _:
            return ExitCode.FAILED
