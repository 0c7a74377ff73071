"""The prompts that are shipped: their checks can be passed, and an answer beside the point fails them."""

import json
from pathlib import Path

import pytest

from foundry_tui.config.locate import config_folders, find_prompts, ready_prompts, shipped_folder
from foundry_tui.config.prompt_sets import load_prompt_sets
from foundry_tui.config.prompts_file import load_prompts
from foundry_tui.config.values import Prompt
from foundry_tui.domain.checks import Matches
from foundry_tui.domain.errors import BadInput
from foundry_tui.metrics.checks import Passed, finding
from foundry_tui.services.scoring.patterns import tried_patterns

SETS = load_prompt_sets((shipped_folder(),))
GOOD: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[1] / "data" / "good_answers.json").read_text(encoding="utf-8")
)
EVERY = [
    pytest.param(name, prompt, id=f"{name}/{prompt.id}")
    for name, prompts in SETS.items()
    for prompt in prompts
]


async def verdicts(prompt: Prompt, answer: str) -> list[tuple[Passed, str | None]]:
    tried = await tried_patterns((check, answer) for check in prompt.checks if isinstance(check, Matches))
    findings = [finding(check, answer, lambda pattern, text: tried[pattern, text]) for check in prompt.checks]
    return [(found.passed, found.why) for found in findings]


def test_there_are_ready_sets_for_what_people_do_and_for_the_workshop() -> None:
    names = ready_prompts((shipped_folder(),))

    assert names == ("code", "extract", "instructions", "rag", "summarize", "workshop")
    assert all(4 <= len(prompts) <= 10 for prompts in SETS.values())


@pytest.mark.parametrize(("name", "prompt"), EVERY)
async def test_a_good_answer_passes_every_check(name: str, prompt: Prompt) -> None:
    assert prompt.aspects
    assert prompt.checks

    assert set(await verdicts(prompt, GOOD[name][prompt.id])) == {(Passed.YES, None)}


@pytest.mark.parametrize(
    "answer", ["", "As an assistant I am happy to help you with that. What is it about?"]
)
@pytest.mark.parametrize(("name", "prompt"), EVERY)
async def test_an_answer_beside_the_point_fails_a_check(name: str, prompt: Prompt, answer: str) -> None:
    assert Passed.NO in {passed for passed, _ in await verdicts(prompt, answer)}


def test_a_bare_name_is_a_ready_set_unless_there_is_such_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "mine"
    own.mkdir()
    (own / "prompts-rag.json").write_text('["mine"]')

    shipped = find_prompts(Path("code"))
    of_the_folder = find_prompts(Path("rag"), own)
    (tmp_path / "code").mkdir()
    beside_a_folder = find_prompts(Path("code"))
    (tmp_path / "rag").write_text('["here"]')
    here = find_prompts(Path("rag"), own)

    assert beside_a_folder == shipped
    assert shipped == shipped_folder() / "prompts-code.json"
    assert [prompt.text for prompt in load_prompts(of_the_folder)] == ["mine"]
    assert here == Path("rag")
    assert find_prompts(Path("folder/rag")) == Path("folder/rag")
    assert find_prompts(Path("rag.json")) == Path("rag.json")


def test_a_name_of_nothing_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(BadInput, match="expected a file or a ready set, found neither") as caught:
        find_prompts(Path("poems"))

    assert caught.value.remedy is not None
    assert "code, extract, instructions, rag, summarize, workshop" in caught.value.remedy


def test_a_bad_set_of_ones_own_is_named_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "prompts-mine.json").write_text('{"prompts": [{"id": "a", "text": "b", "checks": [{}]}]}')

    with pytest.raises(BadInput, match=r"prompts-mine\.json: /prompts/0/checks/0: expected the key kind"):
        load_prompt_sets(config_folders(tmp_path))
