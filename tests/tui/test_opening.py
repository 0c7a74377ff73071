"""What is typed before the workspace is there."""

import pytest
from textual import events
from textual.message import Message

from foundry_tui.engines.scripted import SCRIPTED_MODEL_ID
from tests.tui.harness import driven


def keyed(*characters: str) -> list[Message]:
    names = {" ": "space", ",": "comma"}
    return [events.Key(names.get(character, character), character) for character in characters]


@pytest.mark.parametrize(
    ("early", "text"),
    [
        pytest.param(keyed("h", "i"), "hi", id="letters"),
        pytest.param(
            keyed("a", ",", " ", "b"),
            "a, b",
            id="named characters",
        ),
        pytest.param(
            [events.Paste("pasted")],
            "pasted",
            id="a paste",
        ),
    ],
)
async def test_what_is_typed_before_the_workspace_is_there_reaches_the_prompt(
    early: list[Message], text: str
) -> None:
    async with driven(start_with=SCRIPTED_MODEL_ID, early=early) as user:
        await user.talking_to(SCRIPTED_MODEL_ID)
        await user.pilot.press("end")

        assert user.prompt.text == text
