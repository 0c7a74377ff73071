"""The shapes of the checks of a prompt, one for each kind.  Like ``shapes`` imported late, for pydantic."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

__all__ = ["CheckEntry"]

_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0)]
_Text = Annotated[str, Field(pattern=r"\S")]


class _Check(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, regex_engine="python-re")


class _Texts(_Check):
    texts: list[_Text] = Field(min_length=1, description="What is looked for.")
    ignore_case: bool = Field(default=False, description="true: capitals make no difference.")
    whole_words: bool = Field(default=False, description="true: not inside of a longer word.")


class ContainsEntry(_Texts):
    """The answer has the texts in it."""

    kind: Literal["contains"] = Field(description="Which kind of check it is.")
    needs: Literal["all", "any"] = Field(default="all", description="all of the texts, or any of them.")


class ContainsNotEntry(_Texts):
    """The answer has none of the texts in it."""

    kind: Literal["not_contains"] = Field(description="Which kind of check it is.")


class RegexEntry(_Check):
    """A regular expression of Python's is found in the answer; looked for in a process of its own."""

    kind: Literal["regex"] = Field(description="Which kind of check it is.")
    pattern: str = Field(min_length=1, description="As Python's re.search takes it.")
    ignore_case: bool = Field(default=False, description="true: capitals make no difference.")


class JsonEntry(_Check):
    """The whole answer is JSON."""

    kind: Literal["json"] = Field(description="Which kind of check it is.")
    allow_fence: bool = Field(default=False, description="true: it may stand in one code fence.")


class JsonSchemaEntry(_Check):
    """The whole answer is JSON of a shape."""

    kind: Literal["json_schema"] = Field(description="Which kind of check it is.")
    # Not called schema in Python: that is a method of pydantic's.
    wanted: dict[str, JsonValue] = Field(
        alias="schema",
        description="A JSON Schema of the plainer keywords; what is not known is refused.",
    )
    allow_fence: bool = Field(default=False, description="true: it may stand in one code fence.")


class NumberEntry(_Check):
    """A number in the answer has a value."""

    kind: Literal["number"] = Field(description="Which kind of check it is.")
    equals: _Finite = Field(description="The value.")
    tolerance: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=0, description="So far from it is near enough."
    )
    which: Literal["only", "last", "any"] = Field(
        default="only", description="only: there has to be exactly one; last, or any of them."
    )


class ExtentEntry(_Check):
    """The answer is neither shorter nor longer than that."""

    kind: Literal["characters", "words", "sentences"] = Field(description="What is counted.")
    min: _Count | None = Field(default=None, description="Not fewer.")
    max: _Count | None = Field(default=None, description="Not more.")


class LanguageEntry(_Check):
    """The answer is in a language, told by its commonest words; where they do not tell it is n/a."""

    kind: Literal["language"] = Field(description="Which kind of check it is.")
    # Those of LANGUAGES, which a type has to name itself.
    language: Literal["de", "en", "es", "fr", "it", "nl", "pt"] = Field(
        alias="is", description="Its code in ISO 639-1."
    )


CheckEntry = Annotated[
    ContainsEntry
    | ContainsNotEntry
    | RegexEntry
    | JsonEntry
    | JsonSchemaEntry
    | NumberEntry
    | ExtentEntry
    | LanguageEntry,
    Field(discriminator="kind"),
]
