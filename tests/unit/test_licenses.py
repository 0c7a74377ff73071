"""Licences: asked for once for each text, allowed and denied by name."""

from dataclasses import replace

import pytest

from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.models import CatalogKind, ModelVariant
from foundry_tui.services.downloads.licenses import Licenses, Verdict, text_sha256
from foundry_tui.services.setup import LicensePolicy
from tests.support.memory_downloads import MemoryLicenses

MIT = ModelVariant(
    id="a:1", alias="a", catalog=CatalogKind.PUBLIC, license="MIT", license_text="Permission is granted"
)


def licenses(
    *, deny: tuple[str, ...] = (), allow: tuple[str, ...] = (), store: MemoryLicenses | None = None
) -> Licenses:
    policy = LicensePolicy(deny=deny, allow=allow)
    return Licenses(store or MemoryLicenses(), policy=lambda: policy, unix_ms=lambda: 77)


async def test_a_text_that_nobody_agreed_to_is_asked_for_with_all_that_is_to_be_read() -> None:
    found = await licenses().verdict(MIT)

    assert found.verdict is Verdict.ASK
    assert (found.name, found.text, found.rule) == ("MIT", "Permission is granted", None)


async def test_an_agreement_holds_for_every_model_with_that_text_and_for_no_other() -> None:
    known = licenses()
    await known.accept(MIT)

    same = await known.verdict(replace(MIT, id="b:1", license="MIT License"))
    other = await known.verdict(replace(MIT, license_text="All rights reserved"))

    assert same.verdict is Verdict.ALLOWED
    assert other.verdict is Verdict.ASK


async def test_an_agreement_is_remembered_with_name_and_time() -> None:
    store = MemoryLicenses()

    await licenses(store=store).accept(MIT)

    assert store.accepted == {text_sha256(MIT): ("MIT", 77)}
    assert (await licenses(store=store).verdict(MIT)).verdict is Verdict.ALLOWED


async def test_without_a_text_the_name_is_agreed_to() -> None:
    known = licenses()
    await known.accept(replace(MIT, license_text=None))

    assert (await known.verdict(replace(MIT, id="b:1", license_text=None))).verdict is Verdict.ALLOWED
    assert (await known.verdict(MIT)).verdict is Verdict.ASK


async def test_without_name_and_text_each_model_is_asked_for() -> None:
    known = licenses()
    bare = replace(MIT, license=None, license_text=None)
    await known.accept(bare)

    assert (await known.verdict(bare)).verdict is Verdict.ALLOWED
    assert (await known.verdict(replace(bare, id="b:1"))).verdict is Verdict.ASK


@pytest.mark.parametrize("rule", ["MIT", "mit", " M* ", "*"])
async def test_an_allowed_name_is_not_asked_for(rule: str) -> None:
    found = await licenses(allow=("Apache-2.0", rule)).verdict(MIT)

    assert found.verdict is Verdict.ALLOWED
    assert found.rule == rule


async def test_what_is_denied_stays_so_though_it_is_allowed_and_was_agreed_to() -> None:
    known = licenses(deny=("m?t",), allow=("MIT",))
    await known.accept(MIT)

    found = await known.verdict(MIT)

    assert found.verdict is Verdict.DENIED
    assert found.rule == "m?t"


@pytest.mark.parametrize("rule", ["MI", "MIT2", "[M]IT", ""])
async def test_a_rule_that_does_not_fit_whole_decides_nothing(rule: str) -> None:
    assert (await licenses(deny=(rule,)).verdict(MIT)).verdict is Verdict.ASK


async def test_a_command_is_consent_and_remembered() -> None:
    known = licenses()

    asked = await known.consent(MIT)

    assert asked.verdict is Verdict.ASK
    assert (await known.verdict(MIT)).verdict is Verdict.ALLOWED


async def test_a_command_is_no_consent_to_what_is_denied() -> None:
    store = MemoryLicenses()

    with pytest.raises(BadInput, match=r"MIT of a:1 is denied by the rule 'mit\*'") as caught:
        await licenses(deny=("mit*",), store=store).consent(MIT)

    assert caught.value.remedy is not None
    assert store.accepted == {}


async def test_nothing_is_fetched_whose_text_nobody_agreed_to() -> None:
    known = licenses()

    with pytest.raises(BadInput, match="agreed"):
        await known.require(MIT)
    await known.accept(MIT)
    await known.require(MIT)


async def test_a_hostile_name_is_shown_harmless_and_hashed_as_it_came() -> None:
    hostile = replace(MIT, license="\x1b[31mEvil\n\ud83d", license_text="\ud83d")

    with pytest.raises(BadInput) as caught:
        await licenses(deny=("*evil*",)).consent(hostile)

    assert "\x1b" not in caught.value.message
    assert "\n" not in caught.value.message
    assert text_sha256(hostile) != text_sha256(replace(hostile, license_text="\ufffd"))
