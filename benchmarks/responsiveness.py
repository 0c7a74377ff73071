"""How fluent the screen stays while an answer streams: the whole app next to Textual's own ``Markdown``.

Claim: the event loop is late by less than 10 ms (p99) at 1,000 tokens/s and by less than 20 ms at 5,000
tokens/s, and no token that the chat pane was handed is unseen for longer than 150 ms.

Run it in an environment in which foundry-tui is installed with its development tools, on a quiet machine::

    python benchmarks/responsiveness.py [--rounds 6] [--seconds 3] [--rates 50 200 1000 5000]

A server in a process of its own sends an answer of Markdown (headings, paragraphs, lists, code, tables) on a
schedule: one token every 20 ms at 50/s, at the higher rates what has come due every 10 ms in one write.  A
server that writes and waits token by token spins on a core of its own, and the app is what is measured here;
it does not notice, for the engine's process hands on every 20 ms what it has read.  The app shows it: the
whole workspace on a pseudo-terminal of 120 x 40, in a conversation of 20 earlier answers of about 3.8 KB,
with the settings that it comes with.

* Lag: by how much a sleep of 5 ms in the app's event loop was too long, from the first token to the frame
  with the last one.  Beside it the same ("at rest", p99) in the second before: the machine's own share.
* Age: from the moment at which the pane got a token until the first frame that holds it, or a later one, is
  handed to Textual's driver.  Beside it the age since the engine's process read it from the socket.

Beside it ``Markdown`` with ``MarkdownStream.write``, the least app that has the 20 answers and this one and
nothing else; up to 1,000 tokens/s, for three seconds of 5,000 tokens/s keep it busy for more than a minute.
Each run is a process of its own; the rounds take turns.

The claims are judged by a 95 % interval of the rounds (p99 of the lag, oldest token); fewer than six rounds
leave them undecided.

Exit code: 0 the claims hold, 1 they do not or are undecided, 2 something is missing or an app misbehaved.
"""

import argparse
import asyncio
import itertools
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from figures import Spread, Verdict, give_up, interval_words, judge, machine, percentile, print_table
from pseudo_terminal import on_terminal, report_line

from foundry_tui.domain.chat import Role
from foundry_tui.domain.conversations import Conversation, Turn
from foundry_tui.storage import Database, StoredConversations

sys.path.append(str(Path(__file__).resolve().parents[1]))  # for the scripted server of the tests

from tests.support import script
from tests.support.endpoint import DEFAULT_MODEL
from tests.support.endpoint_process import endpoint_process

RATES = (50, 200, 1_000, 5_000)
CLAIMED_LAG_MS = {1_000: 10.0, 5_000: 20.0}
CLAIMED_AGE_MS = 150.0
MARKDOWN_AT_MOST = 1_000
OURS, MARKDOWN = "foundry-tui", "Textual Markdown"
EARLIER = 20
EARLIER_TOKENS = 470
_TICK_MS = 10.0
_FIRST_MS = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Readings of one answer, times in milliseconds unless their names say otherwise.

    Attributes:
        unseen: Tokens that never came to the screen.
        pane_ms: For each token, from the pane to the frame.
        read_ms: For each token, from the engine's socket to the frame.
        lag_ms: Of each sleep of the event loop.
        rest_ms: The same in the second before the question: what the machine is good for just then.
        arrival_s: From the first token to the last, as the engine's process read them.
        took_s: From the first token at the pane to the frame with the last.
        cpu_s: Processor time of the app in that time.
    """

    tokens: int
    unseen: int
    frames: int
    pane_ms: list[float]
    read_ms: list[float]
    lag_ms: list[float]
    rest_ms: list[float]
    arrival_s: float
    took_s: float
    cpu_s: float

    @property
    def oldest_ms(self) -> float:
        """Of the tokens at the pane; without end if one was never seen."""
        return float("inf") if self.unseen else max(self.pane_ms)


def markdown_tokens() -> Iterator[str]:
    """An endless answer, piece by piece; each piece holds one word, as ``{}``."""
    paragraph = (
        "\n\n{}",
        *(" **{}**" if n % 13 == 7 else " `{}`" if n % 17 == 9 else " {}" for n in range(60)),
    )
    items = tuple(piece for n in range(5) for piece in ("\n\n- {}" if n == 0 else "\n- {}", *[" {}"] * 9))
    code = (
        "\n\n```python\n{} = 1",
        *("\ndef {}(n):" if n % 6 == 0 else " + {}" for n in range(40)),
        "\n{}\n```",
    )
    rows = tuple(piece for _ in range(6) for piece in ("\n| {}", " | {}", " | {} |"))
    table = ("\n\n| {}", " | {}", " | {} |\n|---|---|---|", *rows)
    return itertools.cycle(("\n\n## {}", " {}", " {}", *paragraph, *items, *code, *table, *paragraph))


def tokens(count: int, *, mark: str = "w") -> list[str]:
    """The first ``count`` tokens of an answer, numbered."""
    pieces = enumerate(itertools.islice(markdown_tokens(), count))
    return [piece.format(f"{mark}{number:05d}") for number, piece in pieces]


def paced(rate: int, seconds: float) -> script.Script:
    """An answer at ``rate`` tokens/s."""
    gap_ms = max(_TICK_MS, 1000 / rate)
    at_once = max(1, round(rate * gap_ms / 1000))
    steps: list[script.Step] = [script.Headers(), script.Role(), script.Wait(_FIRST_MS)]
    pieces = tokens(round(rate * seconds))
    for first in range(0, len(pieces), at_once):
        batch = [script.Text(piece) for piece in pieces[first : first + at_once]]
        steps += [script.Together(batch), script.Wait(gap_ms)]
    return script.Script((*steps, script.Finish(), script.Done()))


async def write_earlier(path: Path) -> str:
    """Keep a conversation of 20 long answers; its id."""
    turns: list[Turn] = []
    for number in range(EARLIER * 2):
        is_answer = number % 2 == 1
        turns.append(
            Turn(
                id=f"turn-{number}",
                parent_id=turns[-1].id if turns else None,
                role=Role.ASSISTANT if is_answer else Role.USER,
                text="".join(tokens(EARLIER_TOKENS, mark="v")) if is_answer else f"Question {number}",
                at_unix_ms=1_700_000_000_000 + number,
                model_id=DEFAULT_MODEL if is_answer else None,
            )
        )
    conversation = Conversation(
        id="earlier",
        title="earlier",
        created_unix_ms=1_700_000_000_000,
        updated_unix_ms=1_700_000_000_000,
        turns=tuple(turns),
        head_id=turns[-1].id,
    )
    path.parent.mkdir(parents=True)
    database = Database(path)
    try:
        await StoredConversations(database).create(conversation)
    finally:
        await database.aclose()
    return conversation.id


def stream_once(rate: int, seconds: float, *, is_markdown: bool) -> Run:
    """One answer in one fresh process."""
    name = MARKDOWN if is_markdown else OURS
    with tempfile.TemporaryDirectory(prefix="responsiveness-") as scratch:
        folder = Path(scratch)
        (folder / "config").mkdir()
        conversation = asyncio.run(write_earlier(folder / "data" / "foundry-tui.db"))
        ours, theirs = os.pipe()
        try:
            with endpoint_process(paced(rate, seconds)) as endpoint:
                order = {
                    "url": endpoint.url,
                    "folder": scratch,
                    "conversation": conversation,
                    "is_markdown": is_markdown,
                    "last": round(rate * seconds) - 1,
                    "report": theirs,
                }
                side = str(Path(__file__).with_name("responsiveness_side.py"))
                command = (sys.executable, side, json.dumps(order))
                with on_terminal(name, command, pass_fds=[theirs]) as app:
                    os.close(theirs)
                    report_line(ours, app)
                    app.press(b"go\r")
                    return Run(**json.loads(report_line(ours, app)))
        finally:
            os.close(ours)


Found = Mapping[tuple[str, int], list[Run]]


def print_runs(found: Found) -> None:
    """The table of all runs: medians over the runs of what each run has."""
    rows = []
    for (name, rate), runs in found.items():
        late = Spread.of([percentile(run.lag_ms, 0.99) for run in runs])
        oldest = Spread.of([run.oldest_ms for run in runs])

        def middle(readings: list[float], digits: int = 1) -> str:
            return f"{statistics.median(readings):.{digits}f}"

        rows.append(
            (
                f"{name}, {rate:,}/s",
                str(len(runs)),
                middle([(run.tokens - 1) / run.arrival_s for run in runs], 0),
                *late.cells(),
                middle([max(run.lag_ms) for run in runs]),
                middle([percentile(run.rest_ms, 0.99) for run in runs]),
                middle([statistics.median(run.pane_ms) for run in runs]),
                *oldest.cells(digits=0),
                middle([max(run.read_ms) for run in runs], 0),
                middle([run.took_s for run in runs], 2),
                middle([run.frames / run.took_s for run in runs]),
                middle([100 * run.cpu_s / run.took_s for run in runs], 0),
            )
        )
    lag = ("lag p99 ms", "min", "max", "lag max", "at rest")
    age = ("age p50 ms", "oldest ms", "min", "max", "since read")
    print_table(("", "n", "came/s", *lag, *age, "took s", "frames/s", "CPU %"), rows)


def judge_claims(found: Found) -> bool:
    """Print what the rounds say of each claim; whether all hold."""
    decisions = []
    for (name, rate), runs in found.items():
        if name != OURS:
            continue
        claims = [("oldest token", [run.oldest_ms for run in runs], CLAIMED_AGE_MS)]
        if rate in CLAIMED_LAG_MS:
            claims.append(("lag p99", [percentile(run.lag_ms, 0.99) for run in runs], CLAIMED_LAG_MS[rate]))
        for what, readings, at_most in claims:
            decision = judge(readings, at_most=at_most)
            shown = interval_words(readings, ".1f", unit=" ms")
            print(f"{rate:,}/s, {what} by rounds, 95 %: {shown}; claim: at most {at_most:g} ms: {decision}")
            decisions.append(decision)
    return all(decision is Verdict.HOLDS for decision in decisions)


def print_ratios(found: Found) -> None:
    """Textual's Markdown over ours, by medians."""

    def ratio(rate: int, read: str) -> str:
        theirs, ours = (
            statistics.median(
                percentile(run.lag_ms, 0.99) if read == "lag" else max(run.read_ms)
                for run in found[name, rate]
            )
            for name in (MARKDOWN, OURS)
        )
        return f"{theirs / ours:.1f}"

    rates = [rate for name, rate in found if name == MARKDOWN]
    print_table(
        ("Textual Markdown / foundry-tui", "lag p99", "oldest token since it was read"),
        [(f"{rate:,}/s", ratio(rate, "lag"), ratio(rate, "age")) for rate in rates],
    )


def main() -> int:
    """Run the benchmark; its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=6, help="runs at each rate (default 6)")
    parser.add_argument("--markdown-rounds", type=int, default=2, help="the same of Markdown (default 2)")
    parser.add_argument("--seconds", type=float, default=3, help="length of a stream (default 3)")
    parser.add_argument("--rates", type=int, nargs="+", default=list(RATES), metavar="TOKENS_PER_S")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.seconds < 1 or min(arguments.rates) < 10:
        give_up("--rounds and --seconds must be at least 1, --rates at least 10")
    if max(arguments.rates) * arguments.seconds > 99_999:
        give_up("an answer has at most 99,999 tokens")
    print(machine("foundry-tui", "textual"))
    print(f"load average at start {os.getloadavg()[0]:.2f}")
    found: dict[tuple[str, int], list[Run]] = {}
    for number in range(arguments.rounds):
        for name in (OURS, MARKDOWN) if number < arguments.markdown_rounds else (OURS,):
            for rate in arguments.rates:
                if name == MARKDOWN and rate > MARKDOWN_AT_MOST:
                    continue
                run = stream_once(rate, arguments.seconds, is_markdown=name == MARKDOWN)
                found.setdefault((name, rate), []).append(run)
    found = dict(sorted(found.items(), key=lambda entry: (entry[0][0] != OURS, entry[0][1])))
    print(f"load average at end   {os.getloadavg()[0]:.2f}\n")
    print_runs(found)
    print()
    if arguments.markdown_rounds:
        print_ratios(found)
        print()
    return 0 if judge_claims(found) else 1


if __name__ == "__main__":
    raise SystemExit(main())
