"""Child processes of a test run: which hosts live, and their end."""

import psutil

__all__ = ["END_S", "HOST_MODULE", "hosts", "until_gone"]

HOST_MODULE = "foundry_tui.engines.hosting.host"
END_S = 10.0
"""A safety net: what is waited for here takes milliseconds."""


def hosts(parent_pid: int | None = None) -> list[psutil.Process]:
    """The living hosts that ``parent_pid`` (None: this process) has started."""
    try:
        children = psutil.Process(parent_pid).children()
    except psutil.NoSuchProcess:
        return []
    return [child for child in children if _is_host(child)]


def until_gone(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Wait for ``processes`` to end; those that live on are killed and given back."""
    _, waited_for = psutil.wait_procs(processes, timeout=END_S)
    # Where nobody collects orphans, one that has ended stays in the list of processes.
    left = [process for process in waited_for if not _has_ended(process)]
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=END_S)
    return left


def _is_host(process: psutil.Process) -> bool:
    try:
        return not _has_ended(process) and HOST_MODULE in process.cmdline()
    except psutil.Error:
        return False  # gone between listing and looking


def _has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
