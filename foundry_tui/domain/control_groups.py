"""Which Linux control groups hold a process to memory, as the kernel lists them."""

from collections.abc import Iterator

__all__ = ["memory_groups"]


def memory_groups(membership: str) -> Iterator[tuple[int, str]]:
    """Version, 1 or 2, and path of each group that counts memory, of ``/proc/PID/cgroup``.

    The path is the host's: inside a container it may not be mounted.
    """
    for line in membership.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            yield 2, path.lstrip("/")
        elif "memory" in controllers.split(","):
            yield 1, path.lstrip("/")
