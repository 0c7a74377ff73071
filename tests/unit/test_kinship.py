"""Which judges may judge which run."""

from dataclasses import replace

import pytest

from foundry_tui.domain.bench import ModelRun, Run
from foundry_tui.domain.errors import BadInput
from foundry_tui.services.scoring.kinship import kinship, need_stranger
from tests.support.judges import variant
from tests.support.runs import a_run


def run_of(*models: ModelRun) -> Run:
    run = a_run()
    return replace(run, plan=replace(run.plan, models=tuple(one.model for one in models)), models=models)


PHI = ModelRun(model="phi-4-mini", model_id="Phi-4-mini-instruct-generic-cpu:5")
DISTILLED = ModelRun(model="mine", model_id="deepseek-r1-distill-qwen-7b-cpu:1")
TUNED = ModelRun(model="tuned", model_id="tuned-cpu:1", facts=(("alias", "phi-4"),))
UNKNOWN = ModelRun(model="secret", model_id="secret-cpu:2")


def test_a_model_of_the_run_is_itself_under_whatever_name() -> None:
    run = run_of(PHI, UNKNOWN)

    by_alias = kinship(variant("phi-4-mini"), run)
    by_id = kinship(variant("secret-cpu:2"), run)

    assert by_alias.itself == ("phi-4-mini",)
    assert by_id.itself == ("secret",)
    with pytest.raises(BadInput, match=r"secret-cpu:2 is measured in run a1 itself, as secret"):
        need_stranger(by_id, variant("secret-cpu:2"), run)


@pytest.mark.parametrize(
    ("judge", "kin"),
    [
        ("phi-3.5", (("phi-4-mini", ("phi",)), ("tuned", ("phi",)))),
        ("qwen2.5-7b", (("mine", ("qwen",)),)),
        ("DeepSeek-V3", (("mine", ("deepseek",)),)),
        ("gemma-2", ()),
    ],
)
def test_kin_is_told_by_any_name_of_both(judge: str, kin: object) -> None:
    found = kinship(variant(judge), run_of(PHI, DISTILLED, TUNED))

    assert found.kin == kin
    assert found.is_any is bool(kin)
    assert found.unknown == ()


def test_what_is_not_known_is_told_and_is_no_kin() -> None:
    run = run_of(PHI, UNKNOWN)

    of_known, of_unknown = kinship(variant("gemma-2"), run), kinship(variant("stranger"), run)

    assert of_known.unknown == ("secret",)
    assert of_unknown.unknown == ("phi-4-mini", "secret")
    need_stranger(of_unknown, variant("stranger"), run)


def test_a_refusal_names_the_family_and_the_way_round_it() -> None:
    run = run_of(PHI)

    with pytest.raises(
        BadInput, match=r"phi-3 is of one family with models of run a1: phi-4-mini \(phi\)"
    ) as error:
        need_stranger(kinship(variant("phi-3"), run), variant("phi-3"), run)

    assert "--allow-same-family" in (error.value.remedy or "")
