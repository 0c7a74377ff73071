"""``foundry-tui score judge``: judges of known habits at a real endpoint, killed, refused, and a real one."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import jsonschema
import pytest

from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.config.rubric_file import load_rubric
from foundry_tui.config.schema import json_schema
from foundry_tui.demo import demo_registration
from foundry_tui.domain.bench import BenchPlan, ModelRun, PlannedPrompt, RequestRun, Run, RunStatus
from foundry_tui.domain.judging import Judgement
from foundry_tui.domain.scoring import Said, Score
from foundry_tui.storage import Database, StoredJudgements, StoredRuns, StoredScores
from tests.cli.program import COMMAND, Ended, environment, one_process, run, run_async
from tests.support.endpoint import Endpoint, Setting, scripted_endpoint
from tests.support.judges import Habit, always_a, by_length, served, shown, talks, told
from tests.support.record import Request
from tests.support.runs import a_request, a_run
from tests.support.script import Headers, HoldOpen, Script, answer

JUDGE = "judge-qwen"
MODELS = ("secret-phi", "secret-llama")
PROMPTS = 12
ROOT = Path(__file__).parents[2]
RUBRIC = load_rubric(ROOT / "config" / "rubric.json")


def requests_of(count: int = PROMPTS) -> tuple[RequestRun, ...]:
    """An answer of each model to each prompt: the first model's are the longer ones, and no two alike."""
    return tuple(
        replace(
            a_request(2 * prompt + place + 1, model=model, text="word " * (4 + 2 * prompt + (10, 0)[place])),
            prompt_id=f"p{prompt}",
        )
        for prompt in range(count)
        for place, model in enumerate(MODELS)
    )


def run_of(models: tuple[str, ...] = MODELS) -> Run:
    prompts = tuple(PlannedPrompt(id=f"p{number}", text=f"Why {number}?") for number in range(PROMPTS))
    return replace(
        a_run("a1"),
        plan=BenchPlan(models=models, prompts=prompts),
        status=RunStatus.COMPLETED,
        models=tuple(ModelRun(model=model, model_id=model) for model in models),
    )


@pytest.fixture
async def data_dir(tmp_path: Path) -> Path:
    """With a run of two models and twelve prompts."""
    folder = tmp_path / "data"
    folder.mkdir()
    database = Database(folder / "foundry-tui.db")
    await StoredRuns(database).import_run(run_of(), requests_of())
    await database.aclose()
    return folder


async def scored_by_a_person(data_dir: Path, answers: int) -> None:
    """The same value by all criteria, from 1 to 5 and again, to the first answers."""
    database = Database(data_dir / "foundry-tui.db")
    scores = [
        Score(
            run_id="a1",
            number=number,
            criterion=criterion.id,
            annotator="Ada",
            occasion=1,
            value=1 + number % 5,
            rubric_sha256=RUBRIC.sha256,
            at_unix_ms=1,
        )
        for number in range(1, answers + 1)
        for criterion in RUBRIC.criteria
    ]
    await StoredScores(database).keep(RUBRIC, Said(scores=tuple(scores)))
    await database.aclose()


async def kept(data_dir: Path) -> tuple[Judgement, ...]:
    database = Database(data_dir / "foundry-tui.db")
    found = await StoredJudgements(database).judgements("a1")
    await database.aclose()
    return found


def never(request: Request) -> Script:
    raise AssertionError("nothing else is asked")


@dataclass(frozen=True, slots=True)
class Judging:
    """A judge at an endpoint."""

    endpoint: Endpoint
    data_dir: Path

    async def asked(self, *arguments: str, judge: str = JUDGE) -> Ended:
        """Run ``score judge``."""
        given = ("--endpoint", self.endpoint.url, "--judge", judge, *arguments)
        return await run_async("score", "judge", "last", *given, data_dir=self.data_dir)

    @property
    def chats(self) -> list[str]:
        """What the judge was told, oldest first."""
        return [told(request) for request in self.endpoint.requests if "messages" in request.body]


@asynccontextmanager
async def judging(data_dir: Path, habit: Habit, *, name: str = JUDGE) -> AsyncGenerator[Judging, None]:
    models = (*MODELS, JUDGE, "phi-judge", "stranger")
    async with scripted_endpoint(served(name, habit, never), Setting(models=models)) as endpoint:
        yield Judging(endpoint, data_dir)


def shown_by(data_dir: Path, *arguments: str) -> list[Ended]:
    """Words and JSON of one command about the run."""
    lines = [("score", *arguments, "last"), ("score", *arguments, "last", "--json")]
    return one_process(lines, data_dir=data_dir)


async def test_a_judge_that_goes_by_length_is_warned_of_beside_all_that_it_gave(data_dir: Path) -> None:
    await scored_by_a_person(data_dir, 20)
    async with judging(data_dir, by_length) as judge:
        single, pairs = await judge.asked(), await judge.asked("--pairs", "--json")
        told_of = "\n".join(judge.chats)

    show, as_json = shown_by(data_dir, "show")

    assert (single.code, pairs.code, show.code) == (ExitCode.DONE,) * 3
    content = json.loads(pairs.out)
    jsonschema.validate(content, json_schema("judge"))
    length = content["judge"]["length"]
    assert (length["spearman_rho"], length["goes_by_length"]) == (pytest.approx(0.97, abs=0.02), True)
    assert (content["judge"]["trusted"], content["judge"]["human_answers"]) == (True, 20)
    assert content["judge"]["agreement"]["overall"]["weighted_kappa"] is not None
    assert (content["judge"]["pairs"]["flips"], content["judge"]["pairs"]["agreeing"]) == (0, PROMPTS)
    (share,) = content["judge"]["pairs"]["shares"]
    assert (share["one"], share["one_wins"], share["other_wins"]) == ("secret-llama", 0, PROMPTS)
    assert "warning: it goes by length: longer answers got more" in single.out
    assert "warning: it goes by length: longer answers got more" in show.out
    assert not [name for name in MODELS if name in told_of]
    quality = json.loads(as_json.out)
    jsonschema.validate(quality, json_schema("quality"))
    assert [one["judge"] for one in quality["judges"]] == [JUDGE]
    assert [one["annotators"] for one in quality["models"]] == [1, 1]


async def test_means_of_people_are_the_same_with_and_without_a_judge(data_dir: Path) -> None:
    await scored_by_a_person(data_dir, 24)
    before = json.loads(shown_by(data_dir, "show")[1].out)
    async with judging(data_dir, always_a) as judge:
        await judge.asked()

    show, as_json = shown_by(data_dir, "show")

    after = json.loads(as_json.out)
    assert after["models"] == before["models"]
    assert (before["judges"], len(after["judges"])) == ([], 1)
    people, _, of_judge = show.out.partition("JUDGE  ")
    assert JUDGE not in people
    assert all("from 24 answers" in line for line in of_judge.splitlines() if line.startswith(JUDGE))


async def test_a_judge_that_always_says_a_is_exposed_by_its_flips(data_dir: Path) -> None:
    async with judging(data_dir, always_a) as judge:
        end = await judge.asked("--pairs")

    assert end.code == ExitCode.DONE
    assert "followed the position in 12 of 12 pairs (100 % [76, 100]), 12 times to the first" in end.out
    assert "shares are of the 0 whose orders agree" in end.out
    (row,) = [line for line in end.out.splitlines() if line.startswith(JUDGE)]
    assert row.split()[1:] == [
        *("secret-llama", "secret-phi", "0", "0", "0", "n/a", "n/a", "100", "%", "0", "%"),
        *("not", "yet", "(0", "of", "20)"),
    ]


async def test_a_judge_that_talks_is_asked_twice_and_its_refusals_are_told(data_dir: Path) -> None:
    async with judging(data_dir, talks) as judge:
        end = await judge.asked("--json")
        asked = len(judge.chats)

    content = json.loads(end.out)
    jsonschema.validate(content, json_schema("judge"))
    assert asked == 2 * 24
    assert content["judge"]["asked"] | {"interval": None} == {
        "count": 24,
        "refused": 24,
        "retries": 24,
        "refused_share": 1,
        "interval": None,
    }
    assert [one["overall"]["mean"] for one in content["judge"]["models"]] == [None, None]
    assert "24 answers judged now, 24 refused" in end.err
    assert {one.values for one in await kept(data_dir)} == {None}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("secret-phi", "secret-phi is measured in run a1 itself"),
        ("phi-judge", "phi-judge is of one family with models of run a1: secret-phi (phi)"),
    ],
)
async def test_a_model_of_the_run_and_its_kin_are_refused_before_they_are_asked(
    data_dir: Path, name: str, words: str
) -> None:
    async with judging(data_dir, always_a) as judge:
        end = await judge.asked(judge=name)
        asked = judge.chats

    assert end.code == ExitCode.USAGE
    assert words in end.err
    assert "--allow-same-family" in end.err
    assert asked == []


async def test_kin_that_was_allowed_is_kept_and_told_beside_every_figure(data_dir: Path) -> None:
    async with judging(data_dir, always_a, name="phi-judge") as judge:
        end = await judge.asked("--allow-same-family", judge="phi-judge")

    rows = [line for line in end.out.splitlines() if line.startswith("phi-judge")]
    assert end.code == ExitCode.DONE
    assert len(rows) == 10
    assert all(row.endswith("not yet (0 of 20), own family") for row in rows)
    assert "is, or is kin to, a model of the run" in end.err
    assert {one.same_family for one in await kept(data_dir)} == {True}


async def test_a_judge_of_no_known_family_may_judge_and_that_is_told(data_dir: Path) -> None:
    async with judging(data_dir, always_a, name="stranger") as judge:
        end = await judge.asked(judge="stranger")

    assert end.code == ExitCode.DONE
    assert "whether stranger is kin to secret-phi, secret-llama is not known" in end.err
    assert "no family is known by its name" in end.out


async def test_agreement_with_people_stands_behind_that_of_people_and_names_no_model(data_dir: Path) -> None:
    await scored_by_a_person(data_dir, 5)
    async with judging(data_dir, by_length) as judge:
        await judge.asked()

    words, as_json = shown_by(data_dir, "agreement")

    content = json.loads(as_json.out)
    jsonschema.validate(content, json_schema("agreement"))
    (of_judge,) = content["judges"]
    assert (of_judge["judge"], of_judge["trusted"], of_judge["overall"]["n"]) == (JUDGE, False, 20)
    assert f"people and judge {JUDGE}, trusted not yet (5 of 20)" in words.out
    assert not [name for name in MODELS if name in words.out + as_json.out]


async def test_a_judge_that_is_killed_loses_one_request_and_the_next_call_goes_on(data_dir: Path) -> None:
    done = 5

    def hold_the_sixth(request: Request) -> Script:
        if len(chats()) > done:
            return Script((Headers(), HoldOpen()))
        return answer((always_a(told(request)),))

    def chats() -> list[Request]:
        return [request for request in endpoint.requests if "messages" in request.body]

    async with scripted_endpoint(hold_the_sixth, Setting(models=(JUDGE,))) as endpoint:
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "score", "judge", "last", "--judge", JUDGE, "--endpoint", endpoint.url),
            cwd=data_dir.parent,
            env=environment(data_dir),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await endpoint.until(lambda: len(chats()) == done + 1, within_s=60)
        process.kill()
        await process.wait()
    before = await kept(data_dir)

    async with judging(data_dir, always_a) as judge:
        end = await judge.asked("--json")
        asked_again = [(shown(words)["QUESTION"], shown(words)["ANSWER"]) for words in judge.chats]

    after = await kept(data_dir)
    assert [one.number for one in before] == [1, 2, 3, 4, 5]
    assert after[:done] == before
    assert [one.number for one in after] == list(range(1, 25))
    assert len(asked_again) == len(set(asked_again)) == 24 - done
    assert json.loads(end.out)["work"] == {
        "of": "answers",
        "total": 24,
        "known": done,
        "made": 24 - done,
        "refused": 0,
        "retries": 0,
        "failed": 0,
        "problem": None,
    }


async def test_what_cannot_be_judged_is_refused(data_dir: Path, tmp_path: Path) -> None:
    empty = tmp_path / "other" / "data"
    empty.mkdir(parents=True)
    database = Database(empty / "foundry-tui.db")
    alone = run_of(("secret-phi",))
    await StoredRuns(database).import_run(alone, [one for one in requests_of() if one.model == "secret-phi"])
    await StoredRuns(database).import_run(replace(alone, id="b2", started_unix_ms=0), ())
    await database.aclose()

    ends = one_process(
        [
            ("score", "judge", "last", "--judge", JUDGE, "--pairs"),
            ("score", "judge", "b2", "--judge", JUDGE),
            ("score", "judge", "none", "--judge", JUDGE),
        ],
        data_dir=empty,
    )

    assert [end.code for end in ends] == [ExitCode.USAGE] * 3
    assert "no prompt of run a1 was answered by two models" in ends[0].err
    assert "no answer of run b2 can be judged" in ends[1].err


@pytest.mark.native
def test_the_bundled_model_cannot_judge_and_that_is_told_honestly(data_dir: Path) -> None:
    folder = demo_registration().path

    register = run("models", "register", folder, "--id", "tiny-own:1", "--offline", data_dir=data_dir)
    end = run("score", "judge", "a1", "--judge", "tiny-own", "--offline", "--json", data_dir=data_dir)

    assert (register.code, end.code) == (ExitCode.DONE, ExitCode.DONE)
    content = json.loads(end.out)
    jsonschema.validate(content, json_schema("judge"))
    assert content["judge"]["judge"] == "tiny-own:1"
    assert content["judge"]["asked"]["refused"] == content["judge"]["asked"]["count"] == 24
    assert content["judge"]["asked"]["retries"] == 24
    assert content["judge"]["models"][0]["overall"]["mean"] is None
