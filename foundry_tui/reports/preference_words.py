"""Preferences between answers in words; the words are harmless."""

from foundry_tui.domain.quantities import plural
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.preferences import PairTally, PreferenceCount
from foundry_tui.reports.agreement_words import percent_words
from foundry_tui.reports.json_text import interval_list

__all__ = ["preference_lines", "preference_object"]

_NAME_CHARACTERS = 60


def preference_lines(found: PreferenceCount) -> list[str]:
    """A line for each two models, then how far sides mattered; empty where nothing was compared."""
    if not found.tallies:
        return []
    people = "1 person" if found.annotators == 1 else f"{found.annotators} people"
    lines = [_tally_words(tally) for tally in found.tallies]
    notes = [f"compared by {people}"]
    if found.skipped:
        notes.append(f"{plural(found.skipped, 'pair')} skipped")
    if found.again:
        notes.append(f"{found.same} of {plural(found.again, 'pair')} shown again ended the same")
    if found.unmatched:
        notes.append(f"{found.unmatched} of answers that stand no more are left out")
    lines.append("; ".join(notes))
    if found.left_interval is not None and found.decided:
        low, high = found.left_interval.low, found.left_interval.high
        is_sided = not low <= 0.5 <= high
        lines.append(
            f"the left answer was preferred in {percent_words(found.left / found.decided)}"
            f" [{low * 100:.0f}, {high * 100:.0f}] of them"
            + (": the side mattered, so do not rely on the shares" if is_sided else "")
        )
    return lines


def preference_object(found: PreferenceCount) -> dict[str, object]:
    """Everything; a share that nothing decides is null."""
    return {
        "pairs": [
            {
                "one": tally.one,
                "other": tally.other,
                "one_wins": tally.one_wins,
                "other_wins": tally.other_wins,
                "ties": tally.ties,
                "share": tally.share,
                "interval": interval_list(tally.interval),
            }
            for tally in found.tallies
        ],
        "annotators": found.annotators,
        "skipped": found.skipped,
        "left": found.left,
        "decided": found.decided,
        "left_interval": interval_list(found.left_interval),
        "again": found.again,
        "same": found.same,
        "unmatched": found.unmatched,
    }


def _tally_words(tally: PairTally) -> str:
    one, other = (clean_line(name, _NAME_CHARACTERS) for name in (tally.one, tally.other))
    counts = f"{tally.one_wins} : {tally.other_wins}, {plural(tally.ties, 'tie')}"
    if tally.share is None or tally.interval is None:
        return f"{one} against {other}: {counts}"
    ends = f"[{tally.interval.low * 100:.0f}, {tally.interval.high * 100:.0f}]"
    return f"{one} against {other}: preferred in {percent_words(tally.share)} {ends} ({counts})"
