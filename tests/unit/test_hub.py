"""The loopback hub as any client finds it: plain http, and https for its registry."""

import json
import ssl
import urllib.error
from collections.abc import Generator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from tests.support.hub import (
    DEMO_ID,
    Expired,
    FileContent,
    Hub,
    Inline,
    Place,
    Synthetic,
    demo_files,
    demo_model,
    models,
    sha256,
    standard_models,
    synthetic_model,
    variant,
)
from tests.support.hub.client import (
    DATA,
    ONE,
    SIZE,
    TWO,
    ask,
    blob,
    fetch,
    listed,
    resolve,
    two_models,
)


@pytest.fixture
def hub() -> Generator[Hub, None, None]:
    """Two models of 300,000 bytes of weights."""
    with Hub(two_models()) as hub:
        yield hub


# The catalog


def test_the_catalog_is_filtered_by_device_and_provider() -> None:
    with Hub([variant("a", kind) for kind in ("generic-cpu", "cuda-gpu", "generic-gpu", "qnn-npu")]) as hub:
        gpu = ask(hub, device="gpu")
        cuda = ask(hub, device="gpu", provider="CUDAExecutionProvider")

    assert gpu == ["a-cuda-gpu:1", "a-generic-gpu:1"]
    assert cuda == ["a-cuda-gpu:1"]


def test_the_label_latest_is_the_newest_version_and_a_name_finds_all() -> None:
    with Hub([variant("a", "generic-cpu", version=n) for n in (1, 3, 2)]) as hub:
        latest = ask(hub, labels="latest")
        by_name = ask(hub, name="a-generic-cpu")

    assert latest == ["a-generic-cpu:3"]
    assert by_name == ["a-generic-cpu:1", "a-generic-cpu:3", "a-generic-cpu:2"]


def test_archived_models_are_left_out_where_that_is_asked() -> None:
    with Hub([variant("a", "generic-cpu"), replace(variant("b", "generic-cpu"), is_archived=True)]) as hub:
        everything = ask(hub)
        current = ask(hub, archived="false")

    assert everything == ["a-generic-cpu:1", "b-generic-cpu:1"]
    assert current == ["a-generic-cpu:1"]


def test_a_filter_may_be_turned_round() -> None:
    body = {"filters": [{"field": "name", "operator": "NotEquals", "values": ["a-generic-cpu"]}]}
    with Hub([variant("a", "generic-cpu"), variant("b", "generic-cpu")]) as hub:
        answer = json.loads(fetch(hub.catalog_url, method="POST", body=json.dumps(body).encode()).body)

    assert [entry["name"] for entry in answer["summaries"]] == ["b-generic-cpu"]


def test_the_pages_of_a_long_catalog_are_all_of_it() -> None:
    offered = models(120)
    with Hub(offered) as hub:
        found = ask(hub, type="models")
        pages = len(hub.asked(Place.CATALOG))

    assert found == [model.id for model in offered]
    assert pages == 3


@pytest.mark.parametrize(
    "body",
    [
        {"filters": [{"field": "colour", "operator": "eq", "values": ["red"]}]},
        {"filters": [{"field": "name", "operator": "like", "values": ["red"]}]},
        {"filters": "name"},
        {"filters": [], "continuationToken": "x"},
    ],
)
def test_a_question_that_the_hub_does_not_know_is_refused(hub: Hub, body: dict[str, object]) -> None:
    answer = fetch(hub.catalog_url, method="POST", body=json.dumps(body).encode())

    assert answer.status == 400


def test_each_catalog_lists_its_own_and_they_go_down_one_by_one() -> None:
    other = replace(variant("b", "generic-cpu"), catalog="other")
    with Hub([variant("a", "generic-cpu"), other]) as hub:
        lists = (ask(hub), ask(hub, catalog="other"))
        hub.down(catalog="other")
        with pytest.raises(ConnectionRefusedError):
            ask(hub, catalog="other")
        still = ask(hub)

    assert lists == (["a-generic-cpu:1"], ["b-generic-cpu:1"])
    assert still == ["a-generic-cpu:1"]


def test_what_is_put_and_removed_shows_at_once(hub: Hub) -> None:
    before = ask(hub, labels="latest")

    hub.put(synthetic_model("one", version=2), synthetic_model("three"))
    put = ask(hub, labels="latest")
    hub.remove(TWO)
    removed = ask(hub, labels="latest")

    assert before == [ONE, TWO]
    assert put == [TWO, "one-generic-cpu:2", "three-generic-cpu:1"]
    assert removed == ["one-generic-cpu:2", "three-generic-cpu:1"]


def test_a_record_says_the_size_of_the_files_or_what_it_was_told() -> None:
    right = replace(variant("a", "generic-cpu"), files={"x": Inline(b"abc"), "y": Inline(b"de")})
    with Hub([right, replace(right, name="b", said_bytes=7)]) as hub:
        answer = json.loads(fetch(hub.catalog_url, method="POST", body=b"{}").body)

    metadata = [entry["variantInformation"]["variantMetadata"] for entry in answer["summaries"]]
    assert [entry["fileSizeBytes"] for entry in metadata] == [5, 7]


def test_a_record_may_be_wrong_on_purpose() -> None:
    wrong = replace(variant("a", "generic-cpu"), changed={"version": "abc", "license": ...})
    with Hub([wrong]) as hub:
        answer = json.loads(fetch(hub.catalog_url, method="POST", body=b"{}").body)

    assert answer["summaries"][0]["version"] == "abc"
    assert "license" not in answer["summaries"][0]


# The registry and its links


def test_the_registry_gives_a_link_that_opens_the_container() -> None:
    model = synthetic_model("one", size_bytes=10)
    with Hub([model]) as hub:
        link = json.loads(resolve(hub, model).body)["blobSasUri"]
        answer = fetch(blob(hub, link=link))

    assert answer.status == 200
    assert answer.body == model.files[DATA].read(0, 10)


def test_the_registry_does_not_know_what_is_not_offered(hub: Hub) -> None:
    answer = resolve(hub, synthetic_model("nobody"))

    assert answer.status == 404


def test_nobody_trusts_the_registry_who_was_not_told_to(hub: Hub) -> None:
    with pytest.raises(urllib.error.URLError) as caught:
        resolve(hub, synthetic_model("one"), trust=ssl.create_default_context())

    assert isinstance(caught.value.reason, ssl.SSLCertVerificationError)


def test_every_registry_of_this_process_has_the_same_authority() -> None:
    with Hub([]) as first, Hub([]) as second:
        assert first.ca_file == second.ca_file


def test_a_link_is_needed_and_must_be_for_that_container(hub: Hub) -> None:
    query = urlsplit(hub.link(TWO)).query

    without = fetch(hub.link(ONE).partition("?")[0] + f"/{DATA}")
    anothers = fetch(hub.link(ONE).partition("?")[0] + f"/{DATA}?{query}")
    longer = fetch(blob(hub).replace("se=20", "se=21"))

    assert (without.status, anothers.status, longer.status) == (404, 403, 403)


def test_a_link_whose_time_is_over_opens_nothing(hub: Hub) -> None:
    hub.set_link_life(-1)
    late = fetch(blob(hub))
    hub.set_link_life(60)

    assert late.status == 403
    assert b"not valid in the specified time frame" in late.body
    assert late.headers["x-ms-error-code"] == "AuthenticationFailed"
    assert fetch(blob(hub)).status == 200


def test_links_can_be_ended_that_were_good(hub: Hub) -> None:
    link = hub.link(ONE)
    hub.expire_links(ONE)

    assert fetch(blob(hub, link=link)).status == 403
    assert fetch(blob(hub)).status == 200


def test_a_registry_told_to_hands_out_links_that_are_over() -> None:
    model = synthetic_model("one")
    with Hub([model]) as hub:
        hub.fault(ONE, Expired())
        link = json.loads(resolve(hub, model).body)["blobSasUri"]

        assert fetch(blob(hub, link=link)).status == 403


# Containers


def test_a_container_lists_its_files_page_by_page(hub: Hub) -> None:
    names = ["genai_config.json", "tokenizer.json", "tokenizer_config.json", "model.onnx", DATA]
    everything, end = listed(hub)
    hub.set_blobs_per_list(2)
    first, marker = listed(hub)
    second, _ = listed(hub, more=f"&marker={marker}")
    prefixed, _ = listed(hub, more="&prefix=tokenizer")

    assert list(everything) == names
    assert everything[DATA] == SIZE
    assert end == ""
    assert [*first, *second] == names[:4]
    assert list(prefixed) == names[1:3]


def test_names_of_files_may_be_anything_that_xml_can_say() -> None:
    odd = "v1/ü & <x> ?.txt"
    with Hub([replace(variant("one", "generic-cpu"), files={odd: Inline(b"hello")})]) as hub:
        names, _ = listed(hub)
        body = fetch(blob(hub, name=odd)).body

    assert names == {odd: 5}
    assert body == b"hello"


def test_head_tells_the_size_and_sends_nothing(hub: Hub) -> None:
    answer = fetch(blob(hub), method="HEAD")

    assert answer.status == 200
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.body == b""


@pytest.mark.parametrize("header", ["Range", "x-ms-range"])
def test_a_range_is_exactly_that_range(hub: Hub, header: str) -> None:
    content = Synthetic(size_bytes=SIZE, seed=1)
    middle = fetch(blob(hub), headers={header: "bytes=65530-65545"})
    tail = fetch(blob(hub), headers={header: "bytes=299990-"})
    over = fetch(blob(hub), headers={header: "bytes=299990-999999"})

    assert (middle.status, middle.body) == (206, content.read(65530, 16))
    assert middle.headers["content-range"] == "bytes 65530-65545/300000"
    assert tail.body == over.body == content.read(299_990, 10)


def test_a_range_behind_the_end_is_refused(hub: Hub) -> None:
    answer = fetch(blob(hub), headers={"Range": f"bytes={SIZE}-"})

    assert answer.status == 416


def test_a_condition_on_content_that_was_replaced_fails(hub: Hub) -> None:
    etag = fetch(blob(hub), method="HEAD").headers["etag"]
    before = fetch(blob(hub), headers={"If-Match": etag})
    hub.put(synthetic_model("one", size_bytes=SIZE, seed=9))

    after = fetch(blob(hub), headers={"If-Match": etag})

    assert (before.status, after.status) == (200, 412)


def test_a_removed_model_can_still_be_read_by_who_has_its_link(hub: Hub) -> None:
    link = hub.link(ONE)
    hub.remove(ONE)

    assert fetch(blob(hub, link=link)).status == 200
    assert resolve(hub, synthetic_model("one")).status == 404


# Content


def test_made_up_bytes_are_the_same_wherever_they_are_read() -> None:
    content = Synthetic(size_bytes=200_001, seed=3)
    whole = content.read(0, 200_001)

    pieces = b"".join(content.read(at, 4093) for at in range(0, 200_001, 4093))

    assert len(whole) == 200_001
    assert pieces == whole
    assert whole[:8] == bytes(8)
    assert whole[65_536:65_544] == b"\0\0\0\0\0\0\0\1"
    assert content.read(65_540, 8) == b"\0\0\0\1" + whole[65_544:65_548]


def test_made_up_bytes_depend_on_their_seed_and_on_nothing_else() -> None:
    hashes = [sha256(Synthetic(size_bytes=100_000, seed=seed)) for seed in (1, 1, 2)]

    assert hashes[0] == hashes[1] != hashes[2]
    assert hashes[0] == "6bff2723521628651b7bc5e22a6df69987420e136bb1b00a61a75bfac6bb55f7"


def test_gigabytes_are_offered_without_being_held() -> None:
    content = Synthetic(size_bytes=10**12, seed=1)

    assert len(content.read(10**12 - 10, 100)) == 10


def test_the_bundled_model_is_offered_as_it_lies_in_the_package() -> None:
    with Hub([demo_model(padding_bytes=10)]) as hub:
        names, _ = listed(hub, DEMO_ID)
        onnx = demo_files()["model.onnx"]
        body = fetch(blob(hub, DEMO_ID, "model.onnx")).body

    assert isinstance(onnx, FileContent)
    assert names.keys() >= {"genai_config.json", "model.onnx", "tokenizer.json", "padding.bin"}
    assert body == onnx.path.read_bytes()


def test_the_samples_have_ids_of_their_own() -> None:
    standard = standard_models()
    many = models(20_000)

    assert len({model.id for model in (*standard, *many)}) == 20_020
    assert len({model.alias for model in standard}) == 10
    assert {model.device for model in standard} == {"cpu", "gpu", "npu"}
