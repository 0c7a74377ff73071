"""What a model costs beyond time, in words.  Everything in it is harmless."""

from collections.abc import Sequence

from foundry_tui.domain.bench_conditions import EnergyScope
from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words
from foundry_tui.domain.tariff import Tariff
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.drift import LEAST_ROUNDS, Drift, DriftVerdict, Flag, FlagKind
from foundry_tui.metrics.energy import EnergyLedger
from foundry_tui.metrics.leak import Growth, GrowthVerdict, MemoryKind, Residual
from foundry_tui.metrics.measures import Measure
from foundry_tui.reports.run_costs import ModelCosts

__all__ = [
    "drift_lines",
    "drift_words",
    "energy_lines",
    "energy_words",
    "flag_words",
    "growth_words",
    "leak_lines",
    "residual_words",
    "rounds_words",
]

_KINDS = {
    MemoryKind.RSS: "resident memory",
    MemoryKind.USS: "memory of its own (USS)",
    MemoryKind.VRAM: "GPU memory",
}

_SCOPES = {
    EnergyScope.GPU: "GPU boards, by whoever used them",
    EnergyScope.PACKAGE: "processor packages (RAPL), by whoever used them, without memory",
}

_FLAGS = {
    FlagKind.THROTTLED: "a GPU was held back",
    FlagKind.GPU_CLOCK: "a GPU's clock was low",
    FlagKind.CPU_CLOCK: "the processors' clocks were low",
    FlagKind.BATTERY: "on battery",
    FlagKind.GOVERNOR: "another governor",
    FlagKind.FOREIGN_CPU: "others had a large share of the processors",
    FlagKind.FOREIGN_GPU: "another process used a GPU",
    FlagKind.FOREIGN_VRAM: "others held more memory of the GPUs",
}


def drift_lines(costs: Sequence[ModelCosts]) -> list[str]:
    """A line for each model whose rounds can be held against each other, and one for each kind of mark."""
    lines: list[str] = []
    for each in costs:
        if each.drift is None:
            continue
        name = clean_line(each.result.name)
        lines.append(f"{name}: {drift_words(each.drift)}")
        for kind, words in _FLAGS.items():
            flags = [flag for flag in each.drift.flags if flag.kind is kind]
            if flags:
                lines.append(
                    f"{name}: {rounds_words([flag.round for flag in flags])}: {words}{_details(flags)}"
                )
        if each.foreign_unknown is not None:
            lines.append(f"{name}: {UNKNOWN}: {clean_line(each.foreign_unknown, 300)}")
    return lines


def drift_words(found: Drift) -> str:
    """``drift: decode rate 30 % lower in rounds 6 to 10 than in the others (p = 0.0016, 10 rounds)``."""
    if found.verdict is DriftVerdict.TOO_FEW:
        return f"too few rounds ({found.rounds} of {LEAST_ROUNDS}) to tell whether it drifted"
    if found.verdict is DriftVerdict.NONE_SHOWN or found.ratio is None or found.p is None:
        return f"no drift shown ({found.rounds} rounds)"
    what = "latency" if found.measure is Measure.LATENCY else "decode rate"
    change = f"{abs(found.ratio - 1) * 100:.0f} % {'higher' if found.ratio > 1 else 'lower'}"
    return (
        f"drift: {what} {change} in {rounds_words(found.slow_rounds)} than in the others"
        f" (p = {found.p:.2g}, {found.rounds} rounds); all are in every number"
    )


def energy_lines(costs: Sequence[ModelCosts]) -> list[str]:
    """A line for each scope of each model that was read, or why there is none; of prices, what they are."""
    lines: list[str] = []
    for each in costs:
        name = clean_line(each.result.name)
        for found in each.energy:
            lines.append(f"{name}, {_SCOPES[found.scope]}: {energy_words(found, each.tariff)}")
            if found.is_in_doubt:
                lines.append(f"{name}: {_doubt_words(found)}")
        if not each.energy and each.no_energy is not None:
            lines.append(f"{name}: {UNKNOWN}: {clean_line(each.no_energy, 300)}")
        if each.cloud_price is not None:
            lines.append(f"{name}: {_cloud_words(each.cloud_price, each.tariff)}")
    return lines


def energy_words(found: EnergyLedger, tariff: Tariff) -> str:
    """``2.00 J/token net, 2.50 gross; 0.222 Wh for an answer net (n=1, idle 20.0 W taken off)``.

    Of answers that overlap, the energy of one is an even share of what all of them took, and said to be.
    """
    gross = f"{found.gross_j_per_token:.2f}" if found.gross_j_per_token is not None else UNKNOWN
    if found.net_j is None or found.net_wh_per_answer is None or found.idle_w is None:
        return (
            f"{gross} J/token gross; {found.gross_wh_per_answer:.3g} Wh for an answer"
            f" (n={found.answers}, the idle power was not read{_shared_words(found)})"
        )
    net = f"{found.net_j_per_token:.2f}" if found.net_j_per_token is not None else UNKNOWN
    words = f"{net} J/token net, {gross} gross; {found.net_wh_per_answer:.3g} Wh for an answer net"
    price = found.price_per_answer(tariff)
    if price is not None:
        words += f", {_money(1000 * price, tariff)} for 1,000 answers"
    return f"{words} (n={found.answers}, idle {found.idle_w:.1f} W taken off{_shared_words(found)})"


def _shared_words(found: EnergyLedger) -> str:
    words = ""
    if found.is_shared:
        words = ", an answer's part is an even share: several were under way at once"
    if (count := found.further_requests) > 0:
        words += f", {count} further {'request' if count == 1 else 'requests'} drew some of it"
    return words


def leak_lines(costs: Sequence[ModelCosts]) -> list[str]:
    """A line for each kind of memory of each model: what came back, and what each request adds."""
    lines: list[str] = []
    for each in costs:
        name = clean_line(each.result.name)
        lines += [
            f"{name}, {_KINDS[found.kind]}: {residual_words(found)}"
            for found in each.residuals
            if found.kept_bytes is not None
        ]
        lines += [f"{name}, {_KINDS[found.kind]}: {growth_words(found)}" for found in each.growth]
    return lines


def residual_words(found: Residual) -> str:
    """``freed 98 % of 1.2 GiB after the unload``, or ``not freed: 412 MiB of 1.2 GiB stay …``."""
    kept, taken, share = found.kept_bytes, found.taken_bytes, found.freed_share
    if kept is None:
        return "not read after the unload"
    if taken is None or share is None:
        return f"{bytes_in_words(kept)} more after the unload than before the load"
    if found.is_freed:
        return f"freed {share * 100:.0f} % of {bytes_in_words(taken)} after the unload"
    amounts = f"{bytes_in_words(kept)} of {bytes_in_words(taken)}"
    return f"not freed: {amounts} stay after the unload, until the engine's process is restarted"


def growth_words(found: Growth) -> str:
    """``grows by 100 MiB with each request (95 % [98 MiB, 103 MiB], 12 requests)``."""
    match found.verdict:
        case GrowthVerdict.TOO_FEW:
            return f"too few requests ({found.requests}) to tell whether it grows with each"
        case GrowthVerdict.FLAT:
            return f"no growth of 1 MiB or more with each request shown ({found.requests} requests)"
        case GrowthVerdict.GROWS:
            said = f"{found.requests} requests"
            if found.interval is not None:
                low, high = (bytes_in_words(int(end)) for end in (found.interval.low, found.interval.high))
                said = f"95 % [{low}, {high}], {said}"
            return f"grows by {bytes_in_words(int(found.bytes_per_request or 0))} with each request ({said})"


def rounds_words(rounds: Sequence[int]) -> str:
    """``round 4``, ``rounds 1, 6 to 10``."""
    parts: list[tuple[int, int]] = []
    for number in rounds:
        if parts and number == parts[-1][1] + 1:
            parts[-1] = (parts[-1][0], number)
        else:
            parts.append((number, number))
    told = [str(first) if first == last else f"{first} to {last}" for first, last in parts]
    return f"{'round' if len(rounds) == 1 else 'rounds'} {', '.join(told)}"


def flag_words(reason: str) -> str:
    """Why a round is marked, by the name of the results format; also of one that a later version has."""
    if reason == FlagKind.SLOWER.value:
        return "slower than the others"
    known = {kind.value: words for kind, words in _FLAGS.items()}
    return known.get(reason) or clean_line(reason, 40)


def _cloud_words(price: float, tariff: Tariff) -> str:
    tokens = f"{_money(tariff.cloud_in or 0, tariff)} in and {_money(tariff.cloud_out or 0, tariff)} out"
    return (
        f"hypothetical: {_money(1000 * price, tariff)} for 1,000 answers, were they of a cloud service that"
        f" takes {tokens} for a million tokens; none was asked"
    )


def _doubt_words(found: EnergyLedger) -> str:
    share = 100 * (found.counter_share or 0)
    return (
        f"warning: the energy counter gives {share:.0f} % of what the readings of power add up to;"
        " beyond 15 % apart neither is to be relied on"
    )


def _money(amount: float, tariff: Tariff) -> str:
    return f"{amount:.3g} {clean_line(tariff.currency, 12)}".strip()


def _details(flags: Sequence[Flag]) -> str:
    told = list(dict.fromkeys(clean_line(flag.detail, 80) for flag in flags if flag.detail))
    if not told:
        return ""
    more = f" and {len(told) - 3} more" if len(told) > 3 else ""
    return f" ({'; '.join(told[:3])}{more})"
