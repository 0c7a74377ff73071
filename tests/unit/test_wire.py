"""Frames between parent and child: they come out as they went in, and nothing else passes for one."""

import dataclasses
import json
import random
import re

import pytest

from foundry_tui.domain import chat, downloads, engine, models
from foundry_tui.domain.chat import (
    ChatMessage,
    ChatRequest,
    ChunkKind,
    ChunkReceived,
    ClockRead,
    GenerationFinished,
    Moment,
    Outcome,
    PhaseTimeouts,
    Role,
    TokenUsage,
)
from foundry_tui.domain.downloads import DownloadFailure, DownloadPhase, DownloadReading
from foundry_tui.domain.engine import (
    Capability,
    EndpointKind,
    EngineInfo,
    ExecutionProvider,
    ProviderProgress,
    ProvidersRegistered,
)
from foundry_tui.domain.models import (
    CatalogKind,
    CatalogSnapshot,
    CatalogSource,
    Device,
    LoadReport,
    ModelVariant,
    ProviderEvidence,
    Registration,
    SnapshotOrigin,
)
from foundry_tui.engines.hosting import configs, frames
from foundry_tui.engines.hosting.configs import EndpointConfig, ManagedConfig, ScriptedConfig
from foundry_tui.engines.hosting.frames import (
    Call,
    Cancel,
    Chat,
    Command,
    Configure,
    DiscoverProviders,
    DownloadModel,
    Frame,
    HostFailed,
    HostReady,
    ListModels,
    LoadModel,
    ModelsListed,
    Ping,
    ProviderList,
    Refused,
    RegisterModel,
    RegisterProviders,
    RemoveModel,
    Replied,
    Stop,
    Streamed,
    UnloadModel,
    UnregisterModel,
)
from foundry_tui.engines.hosting.wire import FrameBroken, decode_command, decode_frame, encode

REQUEST = ChatRequest(
    model="m:1",
    messages=(ChatMessage(role=Role.SYSTEM, text="be brief"), ChatMessage(role=Role.USER, text="hi")),
    max_tokens=7,
    temperature=0.0,
    seed=-1,
    handing_s=0.1,
    timeouts=PhaseTimeouts(connect_s=1.5, headers_s=2, first_token_s=3, between_s=4, total_s=5),
)
VARIANT = ModelVariant(
    id="m-cuda-gpu:2",
    alias="m",
    catalog=CatalogKind.PUBLIC,
    display_name="M",
    publisher="P",
    license="MIT",
    license_text="free",
    task="chat-completion",
    device=Device.GPU,
    execution_provider="CUDAExecutionProvider",
    quantization="RTN",
    size_bytes=2**40,
    disk_bytes=0,
    context_tokens=4096,
    advertised_context_tokens=8192,
    max_output_tokens=512,
    capabilities=("reasoning", "tool-calling"),
    is_cached=False,
    is_loaded=True,
    path="/models/m",
    problem="none",
    unavailable="needs an NVIDIA GPU",
    min_runtime_version="2.0",
)

COMMANDS: tuple[Command, ...] = (
    Configure(
        ManagedConfig(
            data_dir="/d",
            cache_dir="/c",
            logs_dir="/l",
            catalog_urls=("http://a", "http://b"),
            catalog_region="r",
            port=5273,
            offline=True,
        )
    ),
    Configure(EndpointConfig(url="http://h", api_key="k", connect_s=1.0)),
    Configure(
        ScriptedConfig(
            pieces=("a", "b"),
            gap_ms=1,
            fail_with=Outcome.STALLED,
            die_after=0,
            hold=True,
            public=("p:1", "q:2"),
            providers=("CUDAExecutionProvider",),
            offered=("r:3",),
        )
    ),
    Call(0, Ping()),
    Call(1, ListModels(public=False)),
    Call(2, LoadModel("m:1")),
    Call(3, UnloadModel("m:1")),
    Call(
        4,
        RegisterModel(
            Registration(
                path="/p",
                model_id="m:1",
                task="coding",
                display_name="M",
                publisher="P",
                license="L",
                replaces=True,
            )
        ),
    ),
    Call(5, UnregisterModel("m:1")),
    Call(6, RemoveModel("m:1")),
    Call(7, DiscoverProviders()),
    Call(8, RegisterProviders(("CUDAExecutionProvider", "QNNExecutionProvider"))),
    Call(9, DownloadModel("m:1")),
    Call(2**62, Chat(REQUEST)),
    Cancel(3),
    Stop(),
)
FRAMES: tuple[Frame, ...] = (
    HostReady(
        EngineInfo(
            kind=EndpointKind.FOUNDRY_V2,
            url="http://h",
            pid=1,
            capabilities=(Capability.CHAT, Capability.LOAD),
            versions=(("python", "3.11"), ("x", "y")),
            cache_dir="/c",
            start_ns=5,
            notes=("one", "two"),
        )
    ),
    HostFailed("no", None),
    HostFailed("no", "try again"),
    Streamed(1, ClockRead(moment=Moment.HEADERS, at_ns=2**60)),
    Streamed(1, ChunkReceived(at_ns=3, text="t", kind=ChunkKind.REASONING, read=4, tokens=5)),
    Streamed(
        1,
        GenerationFinished(
            outcome=Outcome.TRUNCATED,
            finish_reason="length",
            end_ns=9,
            usage=TokenUsage(prompt_tokens=1, completion_tokens=2, reasoning_tokens=0),
            response_id="r",
            warnings=("no_done",),
            delay_p99_ns=0,
        ),
    ),
    Replied(1, None),
    Replied(
        2,
        CatalogSnapshot(
            models=(VARIANT, VARIANT),
            origin=SnapshotOrigin.LIVE,
            saved_at_unix=7,
            notice="offline",
            sources=(CatalogSource(host="h", saved_at_unix=8, problem="gone"),),
            is_cut_off=True,
        ),
    ),
    Replied(
        3,
        LoadReport(
            model_id="m:1",
            load_ns=1,
            was_loaded=False,
            rss_before_bytes=2,
            rss_after_bytes=3,
            device=Device.NPU,
            execution_providers=("QNNExecutionProvider", "CPUExecutionProvider"),
            provider_evidence=ProviderEvidence.CONFIGURED,
        ),
    ),
    Replied(5, ProviderList((ExecutionProvider("CUDAExecutionProvider", True),))),
    Streamed(6, ModelsListed((VARIANT, VARIANT))),
    Streamed(6, ProviderProgress("CUDAExecutionProvider", 12.5)),
    Streamed(6, ProvidersRegistered((ExecutionProvider("CUDAExecutionProvider", False),), failed=("CUDA…",))),
    Streamed(
        7,
        DownloadReading(
            at_ns=2**60,
            phase=DownloadPhase.FAILED,
            done_bytes=2**40,
            total_bytes=None,
            failure=DownloadFailure.DISK_FULL,
            message="no room",
        ),
    ),
    Replied(4, VARIANT),
    Refused(
        call=1,
        error="GenerationFailed",
        message="m",
        remedy=None,
        outcome=Outcome.OUT_OF_MEMORY,
        end_ns=8,
        response_id="r",
    ),
)


def classes_in(value: object) -> set[str]:
    if not dataclasses.is_dataclass(value):
        return set().union(*map(classes_in, value)) if isinstance(value, tuple) else set()
    inner = (getattr(value, field.name) for field in dataclasses.fields(value))
    return {type(value).__name__}.union(*map(classes_in, inner))


def odd_strings() -> list[str]:
    chosen = [
        "",
        "\n",
        "\r\n",
        "\0",
        "\x1b[31m",
        "\x7f\x85\x9b",
        "\u2028\u2029",
        "\ufeff",
        "\u202e",
        "\ud800",
        "\udfff\ud800",
        "\U0001f600",
        "\U0010ffff",
        '"',
        "\\",
        '\\"\\n\\u0000',
        '{"_":"Stop"}',
        "_",
        "null",
        "a" * 100_000,
    ]
    dice = random.Random(7)
    planes = (0x20, 0x80, 0x800, 0x3000, 0x10000, 0x110000)
    for _ in range(500):
        limit = dice.choice(planes)
        chosen.append("".join(chr(dice.randrange(limit)) for _ in range(dice.randrange(20))))
    # JSON cannot tell a character from its two halves side by side, hence a test of its own.
    return [text for text in chosen if not re.search("[\ud800-\udbff][\udc00-\udfff]", text)]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_a_command_comes_out_as_it_went_in(command: Command) -> None:
    assert decode_command(encode(command)) == command


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_a_frame_comes_out_as_it_went_in(frame: Frame) -> None:
    assert decode_frame(encode(frame)) == frame


def test_the_samples_hold_every_class_of_the_protocol() -> None:
    classes = (getattr(home, name) for home in (frames, configs) for name in home.__all__)
    named = {cls.__name__ for cls in classes if dataclasses.is_dataclass(cls) and isinstance(cls, type)}

    assert named <= classes_in((*COMMANDS, *FRAMES))


def test_the_samples_set_every_field_that_has_a_default() -> None:
    told: dict[str, set[str]] = {}
    for line in map(encode, (*COMMANDS, *FRAMES)):
        json.loads(line, object_hook=lambda raw: told.setdefault(raw["_"], set()).update(raw))

    for name, fields in told.items():
        homes = (frames, configs, chat, downloads, engine, models)
        cls = next(getattr(home, name) for home in homes if hasattr(home, name))
        assert fields == {"_", *(field.name for field in dataclasses.fields(cls))}, name


@pytest.mark.parametrize(
    ("frame", "line"),
    [
        (Stop(), b'{"_":"Stop"}\n'),
        (Call(1, Ping()), b'{"_":"Call","call":1,"operation":{"_":"Ping"}}\n'),
        (
            Streamed(7, ChunkReceived(at_ns=5, text="hi")),
            b'{"_":"Streamed","call":7,"event":{"_":"ChunkReceived","at_ns":5,"text":"hi"}}\n',
        ),
        (
            Streamed(7, ClockRead(moment=Moment.SENT, at_ns=0)),
            b'{"_":"Streamed","call":7,"event":{"_":"ClockRead","moment":"sent","at_ns":0}}\n',
        ),
        (Configure(ScriptedConfig()), b'{"_":"Configure","config":{"_":"ScriptedConfig"}}\n'),
        (
            Configure(EndpointConfig(url="u", api_key=None)),
            b'{"_":"Configure","config":{"_":"EndpointConfig","url":"u"}}\n',
        ),
        (Replied(3, None), b'{"_":"Replied","call":3,"value":null}\n'),
        (HostFailed("é", None), b'{"_":"HostFailed","message":"\\u00e9","remedy":null}\n'),
    ],
    ids=lambda value: type(value).__name__,
)
def test_fields_that_hold_their_default_are_left_out(frame: object, line: bytes) -> None:
    assert encode(frame) == line


def test_any_text_survives_in_one_line_of_ascii() -> None:
    for text in odd_strings():
        frame = Streamed(1, ChunkReceived(at_ns=0, text=text))

        line = encode(frame)

        assert decode_frame(line) == frame, ascii(text)
        assert line.isascii(), ascii(text)
        assert line.index(b"\n") == len(line) - 1, ascii(text)
        assert b"\r" not in line, ascii(text)


def test_two_halves_of_a_surrogate_pair_that_meet_become_their_character() -> None:
    line = encode(Streamed(1, ChunkReceived(at_ns=0, text="\ud83d\ude00")))

    assert decode_frame(line) == Streamed(1, ChunkReceived(at_ns=0, text="\U0001f600"))


def test_any_text_survives_in_every_field_that_takes_one() -> None:
    for text in odd_strings():
        message = ChatMessage(role=Role.USER, text=text)
        request = dataclasses.replace(REQUEST, model=text, messages=(message,))
        info = EngineInfo(
            kind=EndpointKind.OPENAI,
            url=text,
            pid=None,
            capabilities=(),
            versions=((text, text),),
            notes=(text, text),
        )
        refused = Refused(call=1, error=text, message=text, remedy=text)
        variant = ModelVariant(
            id=text, alias=text, catalog=CatalogKind.LOCAL, problem=text, capabilities=(text,)
        )

        assert decode_command(encode(Call(1, Chat(request)))) == Call(1, Chat(request))
        assert decode_frame(encode(HostReady(info))) == HostReady(info)
        assert decode_frame(encode(refused)) == refused
        assert decode_frame(encode(Replied(1, variant))) == Replied(1, variant)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"hello\n",
        b"[info] a library prints\n",
        b"{",
        b'{"_":"Stop"',
        b'{"_":"Stop"}{"_":"Stop"}',
        b"null",
        b"1",
        b'"Stop"',
        b"[]",
        b"{}",
        b'{"_":null}',
        b'{"_":[]}',
        b'{"_":{}}',
        b'{"_":"NoSuchClass"}',
        b'{"_":"Path"}',
        b'{"_":"Cancel"}',
        b'{"_":"Cancel","call":1,"more":2}',
        b'{"_":"Call","call":1,"operation":5}',
        b'{"_":"Call","call":1,"operation":{"_":"Nothing"}}',
        b'{"_":"Streamed","call":1,"event":{"_":"ClockRead","moment":"never","at_ns":0}}',
        b'{"_":"Call","call":1,"operation":{"_":"Chat","request":'
        b'{"_":"ChatRequest","model":"m","messages":[],"max_tokens":1}}}',
        b"\xff\xfe",
        b'{"_":"HostFailed","message":"\xff","remedy":null}',
        b"9" * 5000,
    ],
)
def test_a_line_that_is_nothing_of_ours_is_broken_on_both_sides(line: bytes) -> None:
    with pytest.raises(FrameBroken):
        decode_frame(line)
    with pytest.raises(FrameBroken):
        decode_command(line)


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_what_the_child_says_is_no_command(frame: Frame) -> None:
    with pytest.raises(FrameBroken, match=rf"^unexpected {type(frame).__name__}$"):
        decode_command(encode(frame))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_what_the_parent_says_is_no_frame(command: Command) -> None:
    with pytest.raises(FrameBroken, match=rf"^unexpected {type(command).__name__}$"):
        decode_frame(encode(command))


def test_a_frame_cut_anywhere_is_broken() -> None:
    line = encode(Streamed(1, ChunkReceived(at_ns=3, text="tö\n")))

    for length in range(len(line) - 1):
        with pytest.raises(FrameBroken):
            decode_frame(line[:length])


def test_the_key_does_not_show_in_the_words_for_a_configuration() -> None:
    assert "secret" not in repr(Configure(EndpointConfig(url="http://h", api_key="secret")))


def test_a_line_of_too_many_brackets_is_broken() -> None:
    with pytest.raises(FrameBroken):
        decode_frame(b"[" * 100_000)
