"""What unloaded models have left in the engine's process, and what a restart gave back, in words."""

from collections.abc import Sequence

from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.holding import Held, Holding
from foundry_tui.metrics.residual import MemoryKind
from foundry_tui.metrics.stays import Taken

__all__ = ["held_words", "reclaimed_words"]

_KINDS = {MemoryKind.RSS: "RAM", MemoryKind.USS: "RAM of its own", MemoryKind.VRAM: "GPU memory"}
_NAME_CHARACTERS = 60


def held_words(holding: Holding, remedy: str | None = None) -> str:
    """``qwen unloaded, not freed: 212 MiB of RAM still held · r restarts the host and takes it back``.

    Args:
        holding: Of the engine's present life.
        remedy: How the host is restarted, such as ``r restarts the host``; None leaves that out.
    """
    if not holding.was_unloaded:
        return "no model was unloaded since the host started: nothing is held beyond what is loaded"
    who = _who(holding.model_ids)
    if not holding.kinds:
        return f"{who} unloaded; what is still held is not known"
    if held := holding.held:
        amounts = " and ".join(_amount(each) for each in held)
        them = "it" if len(held) == 1 else "them"
        words = f"{who} unloaded, not freed: {amounts} still held"
        return words if remedy is None else f"{words} · {remedy} and takes {them} back"
    left = " and ".join(
        f"{bytes_in_words(each.most_bytes)} of {_KINDS[each.kind]}"
        for each in holding.kinds
        if each.most_bytes
    )
    return f"{who} unloaded and freed: nothing is held" + (f" beyond {left}" if left else "")


def reclaimed_words(before: Taken, after: Taken, loaded_again: int) -> str:
    """``the host held 812 MiB, now 431 MiB: 381 MiB back (2 models loaded again)``.

    Args:
        before: Read of the old process.
        after: Read of the new one.
        loaded_again: How many models.
    """
    again = {0: "no model was loaded", 1: "1 model loaded again"}.get(
        loaded_again, f"{loaded_again} models loaded again"
    )
    ram = _change(before.rss_bytes, after.rss_bytes)
    if ram is None:
        words = "the host was restarted, and what it held or holds now could not be read"
    else:
        words = f"the host held {ram}"
    vram = _change(before.vram_bytes, after.vram_bytes)
    if vram is not None and (before.vram_bytes or after.vram_bytes):
        words += f"; GPU memory {vram}"
    return f"{words} ({again})"


def _change(before: int | None, after: int | None) -> str | None:
    if before is None or after is None:
        return None
    change = before - after
    if change > 0:
        what = f"{bytes_in_words(change)} back"
    elif change < 0:
        what = f"nothing back, {bytes_in_words(-change)} more"
    else:
        what = "nothing back"
    return f"{bytes_in_words(before)}, now {bytes_in_words(after)}: {what}"


def _amount(held: Held) -> str:
    least, most = bytes_in_words(held.least_bytes), bytes_in_words(held.most_bytes)
    if not held.is_sure:
        return f"up to {most} of {_KINDS[held.kind]}"
    return f"{least if least == most else f'{least} to {most}'} of {_KINDS[held.kind]}"


def _who(model_ids: Sequence[str]) -> str:
    names = [clean_line(model_id, _NAME_CHARACTERS) for model_id in model_ids]
    match names:
        case []:
            return "models were"  # those that were unloaded are loaded again
        case [one]:
            return one
        case [one, other]:
            return f"{one} and {other}"
        case _:
            return f"{len(names)} models"
