"""The real runtime and the loopback hub: what it lists, downloads and runs, and what each fault does."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from foundry_tui.domain.errors import ModelNotFound, ModelRefused
from foundry_tui.domain.models import Device
from foundry_tui.engines.hosting.hosted import HostedEngine
from tests.contract.chats import ask, hear
from tests.contract.runtime import hosted
from tests.support.hub import (
    DEMO_ID,
    NONSENSE,
    CutAt,
    EmptyContainer,
    Expired,
    Fault,
    Hub,
    HubModel,
    Missing,
    NoRanges,
    Place,
    Pulled,
    Slow,
    Stalled,
    Status,
    WrongBytes,
    WrongSize,
    demo_model,
    differing,
    folder_of,
    managed_config,
    models,
    pulling,
    standard_models,
    synthetic_model,
    variant,
)

pytestmark = pytest.mark.native

DATA = "model.onnx.data"
MB = 1_000_000
# Some chunks of 2 MiB, so that a fault can strike between two of them.
SIZE = 7 * MB


@asynccontextmanager
async def served(
    hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[HostedEngine, None]:
    """The project's own engine, led to ``hub``."""
    for name, value in hub.environment().items():
        monkeypatch.setenv(name, value)
    async with hosted(managed_config(hub, folder), folder) as engine:
        yield engine


async def pull(hub: Hub, folder: Path, model_id: str) -> Pulled:
    async with pulling(hub, folder, model_id) as process:
        return (await process.ended())[model_id]


# The catalog


async def test_it_lists_what_this_machine_runs_with_all_that_the_catalog_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = {model.id: model for model in standard_models()}
    async with Hub(offered.values()) as hub, served(hub, tmp_path, monkeypatch) as engine:
        snapshot = await engine.list_models(public=True)

    on_cpu = {model.id: model for model in snapshot.models if model.device is Device.CPU}
    granit = on_cpu["granit-3b-generic-cpu:1"]
    assert sorted(on_cpu) == [
        "embedder-generic-cpu:1",
        "giant-70b-generic-cpu:1",
        "granit-3b-generic-cpu:1",
        "hostile-generic-cpu:1",
        "lama-8b-generic-cpu:1",
        "listener-generic-cpu:1",
        "thinker-1b-generic-cpu:2",
        "tiny-hub-generic-cpu:1",
    ]
    assert snapshot.notice is None
    assert granit.alias == "granit-3b"
    assert granit.license == "Apache-2.0"
    assert granit.advertised_context_tokens == 131_072
    assert granit.is_cached is False
    assert on_cpu["lama-8b-generic-cpu:1"].license_text == offered["lama-8b-generic-cpu:1"].license_text
    assert on_cpu["embedder-generic-cpu:1"].task == "embeddings"
    assert on_cpu["thinker-1b-generic-cpu:2"].publisher == "Loopback"
    assert on_cpu["giant-70b-generic-cpu:1"].size_bytes == 38_146 * 1024 * 1024


async def test_a_variant_that_this_machine_cannot_run_is_found_by_its_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Hub(standard_models()) as hub, served(hub, tmp_path, monkeypatch) as engine:
        for found in ("granit-3b-qnn-npu:1", "thinker-1b-generic-cpu:1", "retired-generic-cpu:1"):
            with pytest.raises(ModelRefused, match="not on this machine"):
                await engine.load(found)
        for unknown in ("futuristic-generic-cpu:1", "nobody:1"):
            with pytest.raises(ModelNotFound):
                await engine.load(unknown)


async def test_it_reads_a_long_catalog_to_its_last_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Hub(models(430)) as hub, served(hub, tmp_path, monkeypatch) as engine:
        snapshot = await engine.list_models(public=True)
        asked = hub.asked(Place.CATALOG)

    assert len(snapshot.models) == 430
    assert len(asked) == 9


async def test_catalogs_that_answer_nonsense_do_not_hide_the_one_that_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = [replace(variant(kind, "generic-cpu"), catalog=kind) for kind in NONSENSE]
    async with Hub([demo_model(), *hidden]) as hub:
        for kind, nonsense in NONSENSE.items():
            hub.fault_in_catalog(kind, nonsense)
        async with served(hub, tmp_path, monkeypatch) as engine:
            snapshot = await engine.list_models(public=True)
            answered = {exchange.catalog for exchange in hub.asked(Place.CATALOG)}

    assert [model.id for model in snapshot.models] == [DEMO_ID]
    assert answered == {"main", *NONSENSE}


async def test_of_nothing_but_nonsense_it_lists_nothing_and_lives_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Hub([demo_model()]) as hub:
        hub.fault(Place.CATALOG, NONSENSE["html"])
        async with served(hub, tmp_path, monkeypatch) as engine:
            snapshot = await engine.list_models(public=True)
            await engine.ping()

    assert snapshot.models == ()


async def test_a_catalog_that_is_busy_once_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Hub([demo_model()]) as hub:
        hub.fault(Place.CATALOG, Status(code=503, times=1))
        async with served(hub, tmp_path, monkeypatch) as engine:
            snapshot = await engine.list_models(public=True)
            statuses = [exchange.status for exchange in hub.asked(Place.CATALOG)]

    assert [model.id for model in snapshot.models] == [DEMO_ID]
    assert statuses == [503, 200]


# Downloads


@pytest.mark.parametrize("folder", ["", "v1/"])
async def test_what_was_downloaded_is_the_same_byte_for_byte_and_answers(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = demo_model(folder=folder, padding_bytes=5 * MB)
    async with Hub([model]) as hub:
        hub.set_blobs_per_list(3)
        pulled = await pull(hub, tmp_path, DEMO_ID)
        async with served(hub, tmp_path, monkeypatch) as engine:
            listed = await engine.list_models(public=True)
            await engine.load(DEMO_ID)
            heard = await hear(engine, ask("What is the capital of France?", model=DEMO_ID))

    assert (pulled.is_cached, pulled.error) == (True, None)
    assert pulled.path == folder_of(model, tmp_path) / folder
    assert differing(model, folder_of(model, tmp_path)) == []
    assert [one.is_cached for one in listed.models] == [True]
    assert heard.text == "The capital of France is Paris."


async def test_a_killed_download_is_resumed_and_comes_to_the_same_bytes(tmp_path: Path) -> None:
    model = synthetic_model("killed", size_bytes=40 * MB)
    async with Hub([model]) as hub:
        hub.fault(model.id, Stalled(after_bytes=30 * MB))
        async with pulling(hub, tmp_path, model.id) as process:
            await hub.until(lambda: len(hub.stalled(model.id)) == 4)
            await process.kill()
        partial = folder_of(model, tmp_path)
        left = {path.name for path in partial.iterdir()}
        before_bytes = hub.sent_bytes(model.id)
        hub.mend()

        pulled = await pull(hub, tmp_path, model.id)

        again_bytes = hub.sent_bytes(model.id) - before_bytes
    assert {"download.tmp", DATA, f"{DATA}.dlstate"} <= left
    assert (pulled.is_cached, pulled.error) == (True, None)
    assert differing(model, partial) == []
    # What lies before the last state that was saved, every 16 MB, is not asked for again.
    assert again_bytes < 30 * MB


# Faults that run their course by themselves, one model each, in one process


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A fault and what the runtime makes of it.

    Attributes:
        code: Of the exception that it raises; None if it takes the download for a success.
        says: Words of that exception.
        differs: Names of the files that are wrong or missing although it says that the model is there.
    """

    name: str
    fault: Fault
    blob: str | None = None
    at: Place = Place.BLOBS
    code: int | None = None
    says: str = ""
    differs: tuple[str, ...] = ()

    @property
    def model(self) -> HubModel:
        """The one that suffers it."""
        return synthetic_model(self.name.replace(" ", "-"), size_bytes=SIZE)


ALL_FILES = ("genai_config.json", "tokenizer.json", "tokenizer_config.json", "model.onnx", DATA)
CASES = (
    # What it gets over by itself.
    Case(name="slow", fault=Slow(bytes_per_s=20 * MB)),
    Case(name="reset once", fault=CutAt(at_byte=3 * MB), blob=DATA),
    Case(name="cut short once", fault=CutAt(at_byte=3 * MB, ending="close"), blob=DATA),
    Case(name="too many requests once", fault=Status(code=429, retry_after_s=1, times=1), blob=DATA),
    Case(name="list unavailable once", fault=Status(code=503, times=1, methods=("LIST",))),
    # What it takes for a success, and is none.
    Case(name="zeros", fault=WrongBytes(how="zeros"), blob=DATA, differs=(DATA,)),
    Case(
        name="one bit flipped",
        fault=WrongBytes(how="flipped", from_byte=3 * MB, to_byte=3 * MB + 1),
        blob=DATA,
        differs=(DATA,),
    ),
    Case(name="no ranges", fault=NoRanges(), differs=(DATA,)),
    Case(name="missing", fault=Missing(), blob=DATA, differs=(DATA,)),
    Case(name="empty", fault=EmptyContainer(), differs=ALL_FILES),
    Case(name="smaller", fault=WrongSize(size_bytes=SIZE - 7), blob=DATA, differs=(DATA,)),
    Case(name="larger", fault=WrongSize(size_bytes=SIZE + 7), blob=DATA, differs=(DATA,)),
    # What it tells.
    Case(name="missing but listed", fault=Missing(is_listed=True), blob=DATA, code=6, says="404"),
    Case(name="forbidden", fault=Status(code=403, methods=("GET",)), blob=DATA, code=6, says="403"),
    Case(name="link expired", fault=Expired(), code=6, says="not valid in the specified time frame"),
    Case(name="not registered", fault=Status(code=404), at=Place.REGISTRY, code=6, says="HTTP 404"),
    Case(name="registered as a page", fault=NONSENSE["html"], at=Place.REGISTRY, code=2, says="parse"),
    # The last, because the runtime holds it against the registry.
    Case(
        name="registry busy",
        fault=Status(code=429, retry_after_s=1),
        at=Place.REGISTRY,
        code=6,
        says="region fallback exhausted",
    ),
)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Pulled, list[str]]]:
    """What became of each case: what the runtime said, and which files are not as they should be."""
    folder = tmp_path_factory.mktemp("cases")

    async def run() -> dict[str, Pulled]:
        async with Hub([case.model for case in CASES]) as hub:
            for case in CASES:
                hub.fault(case.model.id, case.fault, blob=case.blob, at=case.at)
            async with pulling(hub, folder, *(case.model.id for case in CASES)) as process:
                return await process.ended()

    said = asyncio.run(run())
    return {
        case.name: (said[case.model.id], differing(case.model, folder_of(case.model, folder)))
        for case in CASES
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_has_the_effect_that_was_measured(
    case: Case, outcomes: dict[str, tuple[Pulled, list[str]]]
) -> None:
    said, differs = outcomes[case.name]

    assert said.code == case.code
    assert case.says in (said.error or "")
    assert said.is_cached == (case.code is None)
    if case.code is None:
        assert differs == list(case.differs)


# Faults in the middle of a download


async def test_a_download_that_stalled_runs_on_when_the_bytes_do(tmp_path: Path) -> None:
    model = synthetic_model("stalled", size_bytes=SIZE)
    async with Hub([model]) as hub:
        hub.fault(model.id, Stalled(after_bytes=3 * MB))
        async with pulling(hub, tmp_path, model.id) as process:
            await hub.until(hub.stalled)
            hub.mend()
            pulled = (await process.ended())[model.id]

    assert pulled.error is None
    assert differing(model, folder_of(model, tmp_path)) == []


async def test_a_hub_that_goes_and_comes_back_in_mid_download_is_got_over(tmp_path: Path) -> None:
    model = synthetic_model("gone", size_bytes=SIZE)
    async with Hub([model]) as hub:
        hub.fault(model.id, Stalled(after_bytes=3 * MB))
        async with pulling(hub, tmp_path, model.id) as process:
            await hub.until(hub.stalled)
            hub.down()
            hub.mend()
            hub.up()
            pulled = (await process.ended())[model.id]

    assert pulled.error is None
    assert differing(model, folder_of(model, tmp_path)) == []


async def test_a_link_that_ends_in_mid_download_is_told_and_the_next_download_has_a_new_one(
    tmp_path: Path,
) -> None:
    model = synthetic_model("ended", size_bytes=3 * SIZE)
    async with Hub([model]) as hub:
        hub.fault(model.id, Stalled(after_bytes=3 * MB))
        async with pulling(hub, tmp_path, model.id) as process:
            await hub.until(hub.stalled)
            hub.expire_links(model.id)
            hub.mend()
            first = (await process.ended())[model.id]
        second = await pull(hub, tmp_path, model.id)

    assert (first.is_cached, first.code) == (False, 6)
    assert "not valid in the specified time frame" in (first.error or "")
    assert second.error is None
    assert differing(model, folder_of(model, tmp_path)) == []


async def test_files_that_are_replaced_in_mid_download_are_mixed_without_a_word(tmp_path: Path) -> None:
    before = synthetic_model("replaced", size_bytes=3 * SIZE, seed=1)
    after = synthetic_model("replaced", size_bytes=3 * SIZE, seed=2)
    async with Hub([before]) as hub:
        hub.fault(before.id, Stalled(after_bytes=3 * MB))
        async with pulling(hub, tmp_path, before.id) as process:
            await hub.until(hub.stalled)
            hub.put(after)
            hub.mend()
            pulled = (await process.ended())[before.id]

    assert (pulled.is_cached, pulled.error) == (True, None)
    assert differing(before, folder_of(before, tmp_path)) == [DATA]
    assert differing(after, folder_of(after, tmp_path)) == [DATA]
