"""Models in plain mode: listed, loaded, read out, compared."""

from pathlib import Path

from tests.cli.plain_sitting import MODEL, heard
from tests.cli.plain_talks import told


async def test_models_are_listed_with_words_and_units_and_filtered_as_in_the_app(tmp_path: Path) -> None:
    end = await heard(
        tmp_path, "/models -synthetic", "/models size<1gb device:cpu", "/models phi", "/models size<"
    )

    assert told(end)[:3] == [
        "2 of 4 models.",
        "1: small-instruct-cpu:1, on disk, 129 MiB, CPU, context unknown, licence apache-2.0.",
        "2: large-instruct-npu:3, not on this machine, 8.38 GiB, NPU, context 131,072 tokens, licence MIT.",
    ]
    assert told(end)[3].startswith("1 of 4 models.")
    assert told(end)[5:8] == [
        "None of 4 models matches.",
        'Left out of the filter: "size<": a number is missing, try size<2gb.',
        "4 of 4 models.",
    ]


async def test_models_are_sorted_by_what_was_asked_for(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/sort size", "/models -synthetic-broken", "/sort none", "/sort colour")

    lines = told(end, "Sorted by size.")
    assert [line.split(",")[0] for line in lines[1:4]] == [
        "1: small-instruct-cpu:1",
        "2: large-instruct-npu:3",
        f"3: {MODEL}",
    ]
    assert lines[4:] == [
        "Lists of models stand as the catalog has them.",
        "Models cannot be sorted by colour.",
        "What to do: by name, size, context, device, licence, publisher or none.",
    ]


async def test_a_model_is_loaded_used_unloaded_and_found_by_alias_id_or_number(tmp_path: Path) -> None:
    end = await heard(
        tmp_path,
        *(
            "/models small",
            "/use 1",
            "Hi",
            "/load small",
            "/loaded",
            "/unload small",
            "/unload",
            "/load",
            "/cached",
        ),
    )

    assert end.code == 0
    assert end.engine.seen[0].model == "small-instruct-cpu:1"
    lines = told(end, "Questions go to small-instruct-cpu:1.")
    assert lines[0] == "small-instruct-cpu:1 answers:"
    assert lines[3:6] == [
        "small-instruct-cpu:1 is loaded already.",
        "2 models loaded.",
        f"1: {MODEL}, loaded, size unknown, device unknown, context 4,096 tokens, licence unknown.",
    ]
    assert lines[7:12] == [
        "small-instruct-cpu:1 was unloaded.",
        "small-instruct-cpu:1 is not loaded.",
        "Loading small-instruct-cpu:1.",
        "small-instruct-cpu:1 was loaded in 10.0 milliseconds.",
        "3 models on disk.",
    ]


async def test_a_model_that_cannot_be_used_is_told_why(tmp_path: Path) -> None:
    end = await heard(
        tmp_path, "/use large", "/use smal", "/use synthetic-broken", "/use 7", "/loaded", "/use 7"
    )

    assert end.code == 1
    assert [line for line in told(end) if "1: " not in line] == [
        "large-instruct-npu:3 is not on this machine.",
        "What to do: /download large-instruct-npu:3 fetches it; /cached lists the models that are here.",
        "There is no model smal.",
        "What to do: did you mean small-instruct-cpu:1 or small?",
        "Loading synthetic-broken-generic-cpu:1.",
        "synthetic-broken-generic-cpu:1 does not load: scripted.",
        "What to do: choose the other one.",
        "There is no model in the last list yet.",
        "1 model loaded.",
        "There is no model 7 in the last list.",
        "What to do: the only one is number 1.",
    ]


async def test_everything_known_of_a_model_is_read_out(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/info small", "/info")

    lines = told(end)
    assert lines[:4] == [
        "Id: small-instruct-cpu:1.",
        "Name: unknown.",
        "Alias: small.",
        "From: the public catalog.",
    ]
    assert "Download size: 129 MiB." in lines
    assert "Last load: 10.0 milliseconds." in lines
    assert "Predicted decode rate unknown: nothing was measured on this machine yet." in lines


async def test_models_are_compared_fact_by_fact(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/compare small large", "/compare small")

    lines = told(end)
    assert lines[:4] == [
        "Compared: 1: small-instruct-cpu:1, 2: large-instruct-npu:3.",
        "Device: 1, CPU; 2, NPU.",
        "Size: 1, 129 MiB; 2, 8.38 GiB.",
        "On disk: the same, unknown.",
    ]
    assert lines[-2:] == [
        "One model alone cannot be compared.",
        "What to do: name two or more: /compare 1 2.",
    ]


async def test_the_catalog_and_the_engine_are_asked_again_and_their_state_is_told(tmp_path: Path) -> None:
    end = await heard(tmp_path, "/refresh", "/restart", "/status")

    lines = told(end)
    assert end.engine.starts == 2
    assert lines[:5] == [
        "4 models, 3 on disk, 1 loaded.",
        "Restarting the engine.",
        "The engine was restarted.",
        f"{MODEL} was loaded in 10.0 milliseconds.",
        "The engine, scripted, is ready.",
    ]
    assert "Note: Synthetic: every answer is replayed." in lines
    assert f"Questions go to {MODEL}, loaded." in lines
    assert lines[-2:] == [
        "CPU 25 percent, RAM 2.00 GiB of 8.00 GiB, engine unknown.",
        "GPU memory unknown: no driver.",
    ]
