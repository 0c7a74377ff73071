"""Moves a cache directory and kills itself on the way: ``mover_of_a_cache.py CACHE TARGET SETTING DEATH``.

``SETTING`` is the file that says which folder is in force.  ``DEATH`` is a phase and a number, such as
``copying:3``: the third word of progress in that phase is the last; or ``before-switch``, ``after-switch``.
"""

import os
import signal
import sys
from pathlib import Path

from foundry_tui.domain.cache import MoveProgress
from foundry_tui.resources.disk import disk_space
from foundry_tui.services.cache.move import CacheMove


def main(cache: Path, target: Path, setting: Path, death: str) -> None:
    """Do what ``CacheService.move`` does, on one thread, so that death always comes at the same moment."""
    phase, _, count = death.partition(":")
    left = int(count or 1)

    def step(progress: MoveProgress) -> None:
        nonlocal left
        if progress.phase.value == phase:
            left -= 1
            if left == 0:
                die()

    journal = setting.parent / "cache-move.json"
    journal.write_text(f'{{"source": "{cache}", "target": "{target}"}}')
    move = CacheMove(cache, target, space=disk_space, step=step, may_link=False)
    move.bring_over()
    if phase == "before-switch":
        die()
    part = setting.with_suffix(".part")
    part.write_text(str(target))
    part.replace(setting)
    if phase == "after-switch":
        die()
    move.remove_source()
    journal.unlink()


def die() -> None:
    """What no handler, no finally and no exit function sees."""
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
