"""Records of a public catalog, in both shapes that are known and in all that should not be."""

import json

import pytest

from foundry_tui.domain.models import CatalogKind, Device, ModelVariant
from foundry_tui.engines.catalog.records import read_page, record_of, variant_of
from tests.support.hub import NONSENSE, standard_models

FLAT: dict[str, object] = {
    "assetId": "azureml://registries/azureml/models/tiny-a-cuda-gpu/versions/3",
    "name": "tiny-a-cuda-gpu",
    "alias": "tiny-a",
    "displayName": "Tiny-A",
    "version": "3",
    "publisher": "Test Pub",
    "license": "MIT",
    "licenseDescription": "Free to use.",
    "minFLVersion": "0.1.0",
    "inferenceTasks": ["chat-completion"],
    "modelCapabilities": ["tool-calling", "reasoning"],
    "modelLimits": {"textLimits": {"inputContextWindow": 2048, "maxOutputTokens": 512}},
    "variantInformation": {
        "variantMetadata": {
            "quantization": ["RTN"],
            "device": "gpu",
            "executionProvider": "CUDAExecutionProvider",
            "fileSizeBytes": 67_308_864,
        }
    },
}
VARIANT = ModelVariant(
    id="tiny-a-cuda-gpu:3",
    alias="tiny-a",
    catalog=CatalogKind.PUBLIC,
    display_name="Tiny-A",
    publisher="Test Pub",
    license="MIT",
    license_text="Free to use.",
    task="chat-completion",
    device=Device.GPU,
    execution_provider="CUDAExecutionProvider",
    quantization="RTN",
    size_bytes=67_308_864,
    context_tokens=2048,
    advertised_context_tokens=2048,
    max_output_tokens=512,
    capabilities=("tool-calling", "reasoning"),
    min_runtime_version="0.1.0",
)
NESTED: dict[str, object] = {
    "assetId": FLAT["assetId"],
    "properties": {
        "name": "tiny-a-cuda-gpu",
        "alias": "tiny-a",
        "version": 3,
        "minFLVersion": "0.1.0",
        "variantInfo": FLAT["variantInformation"],
    },
    "annotations": {
        "systemCatalogData": {
            "displayName": "Tiny-A",
            "publisher": "Test Pub",
            "license": "MIT",
            "inferenceTasks": ["chat-completion"],
            "modelCapabilities": ["tool-calling", "reasoning"],
            "modelLimits": FLAT["modelLimits"],
        },
        "tags": {"licenseDescription": "Free to use."},
    },
}


def test_a_flat_record_is_read_in_full() -> None:
    assert variant_of(FLAT) == VARIANT


def test_a_nested_record_says_the_same() -> None:
    assert variant_of(NESTED) == VARIANT


def test_what_is_kept_of_a_variant_makes_the_same_variant_again() -> None:
    records = [variant_of(model.record()) for model in standard_models()]
    written = [json.loads(json.dumps(record_of(model))) for model in records if model is not None]

    assert [variant_of(record) for record in written] == records
    assert len(written) == len(standard_models())


@pytest.mark.parametrize(
    ("page", "token"),
    [
        ({"totalCount": 1, "summaries": [FLAT], "continuationToken": "50"}, "50"),
        ({"value": [NESTED], "continuationToken": ""}, None),
        ({"indexEntitiesResponse": {"value": [NESTED], "continuationToken": "n"}}, "n"),
        ({"summaries": [FLAT, 7, None, {}, {"name": "x"}]}, None),
    ],
)
def test_a_page_gives_its_models_and_its_token(page: dict[str, object], token: str | None) -> None:
    found = read_page(json.dumps(page))

    assert (found.models, found.token) == ((VARIANT,), token)


def test_an_empty_list_is_a_catalog_without_models() -> None:
    page = read_page('{"totalCount":0,"summaries":[]}')

    assert (page.models, page.records, page.token) == ((), 0, None)


@pytest.mark.parametrize(
    "name", ["html", "empty", "truncated", "no-object", "no-summaries", "nested-deeply", "not-utf8"]
)
def test_nonsense_is_no_page(name: str) -> None:
    with pytest.raises((ValueError, RecursionError)):
        read_page(NONSENSE[name].body.decode("utf-8"))


def test_records_of_wrong_types_are_counted_and_left_out() -> None:
    page = read_page(NONSENSE["wrong-types"].body.decode())

    assert (page.models, page.records) == ((), 6)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "n" * 201},
        {"name": ""},
        {"name": 7},
        {"version": None},
        {"version": True},
        {"version": "9" * 41},
    ],
)
def test_a_record_without_a_usable_name_is_left_out(changed: dict[str, object]) -> None:
    assert variant_of(FLAT | changed) is None


@pytest.mark.parametrize("size", [-1, 1.5, True, "7", None, 2**53, 10**30])
def test_a_size_that_is_none_is_not_known(size: object) -> None:
    record = FLAT | {"variantInformation": {"variantMetadata": {"fileSizeBytes": size}}}

    found = variant_of(record)

    assert found is not None
    assert found.size_bytes is None
