"""In which order several models are measured, as far as memory decides it."""

from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench import Order
from foundry_tui.domain.engine import Capability
from foundry_tui.domain.loads import MemoryPlace
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.metrics.fit import Fit
from foundry_tui.services.client import ClientService

__all__ = ["MemoryOrder", "memory_order", "order_here"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryOrder:
    """In which order they are asked; ``why`` is what to say of it, in words, where drift may favour one."""

    order: Order
    why: str | None = None


async def order_here(client: ClientService, models: Sequence[ModelVariant | None]) -> MemoryOrder:
    """The order for these models next to what is free now; a server's memory is its own.

    Args:
        client: Knows the engine and the memory.
        models: None for one that is not known, which decides nothing.
    """
    info = client.engine_info
    if info is not None and not info.can(Capability.MEMORY):
        return MemoryOrder(order=Order.INTERLEAVED)
    needs = await client.memory.weigh_all([model for model in models if model and not model.is_loaded])
    return memory_order(tuple(needs.values()))


def memory_order(needs: Sequence[Fit]) -> MemoryOrder:
    """Interleaved, so that a drift of the machine favours none, unless they do not fit into memory together.

    Args:
        needs: Of each model that is not in memory yet.  Where a need, or what is free, is not known, they
            are taken to fit: a run measures apart what turns out not to.
    """
    for place in MemoryPlace:
        own = [need for need in needs if need.memory is place]
        needed = sum(need.need_bytes or 0 for need in own)
        free = min((need.available_bytes for need in own if need.available_bytes is not None), default=None)
        if len(needs) > 1 and own and free is not None and needed > free:
            return MemoryOrder(
                order=Order.BLOCKED,
                why=(
                    f"one after the other, for together they need about {bytes_in_words(needed)} of {place}"
                    f" and {bytes_in_words(free)} are free: a drift of the machine falls on single models"
                ),
            )
    return MemoryOrder(order=Order.INTERLEAVED)
