"""The tables as this version of the program reads and writes them; ``migrations`` makes them."""

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

__all__ = [
    "accepted_license",
    "answer_mark",
    "conversation",
    "conversation_of",
    "download",
    "entry",
    "judge_preference",
    "judge_score",
    "piece",
    "place_of",
    "preference",
    "prompt",
    "reading",
    "rubric",
    "run",
    "run_model",
    "run_plan",
    "run_request",
    "run_resource",
    "score",
    "score_note",
    "tag",
    "turn",
    "turn_number",
    "turns_of",
    "words",
]

_PLACE_BITS = 24
_LAST_PLACE = (1 << _PLACE_BITS) - 1


class ExactText(TypeDecorator[str]):
    """Text that comes back exactly as it was given.

    SQLite holds UTF-8, which has no lone surrogates, though JSON escapes can bring them in.  A text with such
    is kept as bytes instead: SQLite knows the type of each value, so that nothing needs a mark or an escape.
    """

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | bytes | None:
        if value is None or value.isascii():
            return value
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode(errors="surrogatepass")
        return value

    def process_result_value(self, value: object, dialect: Dialect) -> str | None:
        if isinstance(value, bytes):
            return value.decode(errors="surrogatepass")
        return None if value is None else str(value)


_METADATA = sa.MetaData()

conversation = sa.Table(
    "conversation",
    _METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("id", ExactText, nullable=False),
    sa.Column("title", ExactText, nullable=False),
    sa.Column("created_unix_ms", sa.Integer, nullable=False),
    sa.Column("updated_unix_ms", sa.Integer, nullable=False),
    sa.Column("options", ExactText, nullable=False),
    sa.Column("head", sa.Integer),
)

turn = sa.Table(
    "turn",
    _METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("conversation", sa.Integer, nullable=False),
    sa.Column("id", ExactText, nullable=False),
    sa.Column("parent", sa.Integer),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("begun_unix_ms", sa.Integer, nullable=False),
    sa.Column("model", ExactText),
    sa.Column("text", ExactText, nullable=False),
    sa.Column("reasoning", ExactText, nullable=False),
)

piece = sa.Table(
    "piece",
    _METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("text", ExactText, nullable=False),
    sa.Column("reasoning", ExactText, nullable=False),
)

reading = sa.Table(
    "reading",
    _METADATA,
    sa.Column("turn", sa.Integer, primary_key=True),
    sa.Column("trace", ExactText, nullable=False),
)

tag = sa.Table(
    "tag",
    _METADATA,
    sa.Column("conversation", sa.Integer, primary_key=True),
    sa.Column("folded", ExactText, primary_key=True),
    sa.Column("name", ExactText, nullable=False),
)

prompt = sa.Table(
    "prompt",
    _METADATA,
    sa.Column("id", ExactText, primary_key=True),
    sa.Column("folded", ExactText, nullable=False),
    sa.Column("name", ExactText, nullable=False),
    sa.Column("text", ExactText, nullable=False),
    sa.Column("tags", ExactText, nullable=False),
    sa.Column("used_unix_ms", sa.Integer),
)

entry = sa.Table(
    "entry",
    _METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("text", ExactText, nullable=False),
)

download = sa.Table(
    "download",
    _METADATA,
    sa.Column("id", ExactText, primary_key=True),
    sa.Column("model", ExactText, nullable=False),
    sa.Column("added_unix_ms", sa.Integer, nullable=False),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.Integer),
    sa.Column("not_before_unix_ms", sa.Integer),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("problem", ExactText),
    sa.Column("remedy", ExactText),
    sa.Column("outlives_app", sa.Boolean, nullable=False),
    sa.Column("ended_unix_ms", sa.Integer),
)

accepted_license = sa.Table(
    "accepted_license",
    _METADATA,
    sa.Column("text_sha256", sa.Text, primary_key=True),
    sa.Column("name", ExactText, nullable=False),
    sa.Column("at_unix_ms", sa.Integer, nullable=False),
)

run = sa.Table(
    "run",
    _METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("id", ExactText, nullable=False),
    sa.Column("name", ExactText, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("started_unix_ms", sa.Integer, nullable=False),
    sa.Column("ended_unix_ms", sa.Integer),
    sa.Column("path", ExactText, nullable=False),
    sa.Column("models", ExactText, nullable=False),
    sa.Column("planned", sa.Integer, nullable=False),
    sa.Column("requests", sa.Integer, nullable=False),
    sa.Column("tags", ExactText, nullable=False),
    sa.Column("reason", ExactText),
)

run_plan = sa.Table(
    "run_plan",
    _METADATA,
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("plan", ExactText, nullable=False),
    sa.Column("environment", ExactText, nullable=False),
    sa.Column("note", ExactText, nullable=False),
    sa.Column("reruns", ExactText, nullable=False),
)

run_model = sa.Table(
    "run_model",
    _METADATA,
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("model", ExactText, nullable=False),
    sa.Column("model_id", ExactText),
    sa.Column("outcome", sa.Text),
    sa.Column("reason", ExactText),
    sa.Column("load_ns", sa.Integer),
    sa.Column("rss_before_bytes", sa.Integer),
    sa.Column("rss_loaded_bytes", sa.Integer),
    sa.Column("rss_after_bytes", sa.Integer),
    sa.Column("uss_before_bytes", sa.Integer),
    sa.Column("uss_loaded_bytes", sa.Integer),
    sa.Column("uss_after_bytes", sa.Integer),
    sa.Column("vram_before_bytes", sa.Integer),
    sa.Column("vram_loaded_bytes", sa.Integer),
    sa.Column("vram_after_bytes", sa.Integer),
    sa.Column("facts", ExactText, nullable=False),
    sa.Column("warnings", ExactText, nullable=False),
    sa.Column("prediction", ExactText),
)

run_request = sa.Table(
    "run_request",
    _METADATA,
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("model", ExactText, nullable=False),
    sa.Column("model_id", ExactText, nullable=False),
    sa.Column("prompt", ExactText, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("phase", sa.Text, nullable=False),
    sa.Column("begun_unix_ms", sa.Integer, nullable=False),
    sa.Column("peak_rss_bytes", sa.Integer),
    sa.Column("peak_vram_bytes", sa.Integer),
    sa.Column("energy_j", sa.Float),
    sa.Column("text", ExactText, nullable=False),
    sa.Column("reasoning", ExactText, nullable=False),
    sa.Column("readings", sa.LargeBinary, nullable=False),
    sa.Column("conditions", ExactText),
    sa.Column("attempt", sa.Integer, nullable=False),
)

run_resource = sa.Table(
    "run_resource",
    _METADATA,
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("readings", sa.LargeBinary, nullable=False),
)

rubric = sa.Table(
    "rubric",
    _METADATA,
    sa.Column("sha256", sa.Text, primary_key=True),
    sa.Column("name", ExactText, nullable=False),
    sa.Column("criteria", ExactText, nullable=False),
)

score = sa.Table(
    "score",
    _METADATA,
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("request", sa.Integer, primary_key=True),
    sa.Column("annotator", ExactText, primary_key=True),
    sa.Column("occasion", sa.Integer, primary_key=True),
    sa.Column("rubric", sa.Text, primary_key=True),
    sa.Column("criterion", ExactText, primary_key=True),
    sa.Column("value", sa.Integer, nullable=False),
    sa.Column("at_unix_ms", sa.Integer, nullable=False),
)

score_note = sa.Table(
    "score_note",
    _METADATA,
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("request", sa.Integer, primary_key=True),
    sa.Column("annotator", ExactText, primary_key=True),
    sa.Column("text", ExactText, nullable=False),
)

answer_mark = sa.Table(
    "answer_mark",
    _METADATA,
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("request", sa.Integer, primary_key=True),
    sa.Column("annotator", ExactText, primary_key=True),
    sa.Column("occasion", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("aspect", ExactText, primary_key=True),
    sa.Column("at_unix_ms", sa.Integer, nullable=False),
)

preference = sa.Table(
    "preference",
    _METADATA,
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("first", sa.Integer, primary_key=True),
    sa.Column("second", sa.Integer, primary_key=True),
    sa.Column("annotator", ExactText, primary_key=True),
    sa.Column("occasion", sa.Integer, primary_key=True),
    sa.Column("left_one", sa.Integer, nullable=False),
    sa.Column("chosen", sa.Text, nullable=False),
    sa.Column("at_unix_ms", sa.Integer, nullable=False),
)

judge_score = sa.Table(
    "judge_score",
    _METADATA,
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("request", sa.Integer, primary_key=True),
    sa.Column("judge", ExactText, primary_key=True),
    sa.Column("rubric", sa.Text, primary_key=True),
    sa.Column("prompt", sa.Text, primary_key=True),
    sa.Column("scores", ExactText),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("reply", ExactText, nullable=False),
    sa.Column("same_family", sa.Boolean, nullable=False),
    sa.Column("at_unix_ms", sa.Integer, nullable=False),
)

judge_preference = sa.Table(
    "judge_preference",
    _METADATA,
    sa.Column("run", sa.Integer, primary_key=True),
    sa.Column("first", sa.Integer, primary_key=True),
    sa.Column("second", sa.Integer, primary_key=True),
    sa.Column("judge", ExactText, primary_key=True),
    sa.Column("rubric", sa.Text, primary_key=True),
    sa.Column("prompt", sa.Text, primary_key=True),
    sa.Column("verdict", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("reply", ExactText, nullable=False),
    sa.Column("same_family", sa.Boolean, nullable=False),
    sa.Column("at_unix_ms", sa.Integer, nullable=False),
)

words = sa.table("words", sa.column("rowid", sa.Integer), sa.column("words"), sa.column("tokens"))
"""The full-text index: a row for each turn under its number, and at place 0 title and tags."""


def turn_number(conversation: int, place: int) -> int:
    """The number of the turn at ``place``, from 1, of the conversation of that number.

    All turns of a conversation lie side by side in the file, and a hit in the index tells its conversation
    without looking anything up.
    """
    if place > _LAST_PLACE:
        raise ValueError(f"a conversation has at most {_LAST_PLACE} turns")
    return (conversation << _PLACE_BITS) + place


def turns_of(conversation: sa.ColumnElement[int]) -> tuple[sa.ColumnElement[int], sa.ColumnElement[int]]:
    """The least and the greatest number that a turn of that conversation can have."""
    first = conversation.bitwise_lshift(_PLACE_BITS)
    return first + 1, first + _LAST_PLACE


def conversation_of(number: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """The number of the conversation to which that turn belongs."""
    shifted: sa.ColumnElement[int] = number.bitwise_rshift(_PLACE_BITS)
    return shifted


def place_of(number: int) -> int:
    """Where that turn stands in its conversation, from 1; 0 for title and tags."""
    return number & _LAST_PLACE
