"""What a benchmarked server answers: each model has its own schedule; only what is timed goes wrong."""

from tests.support.faults import FAULTS, PIECES, http_error
from tests.support.record import Request
from tests.support.script import Script, answer

__all__ = ["PROMPT", "by_model", "good_model", "slowly"]

PROMPT = "the one that is timed"
FAULTY = FAULTS | {"oom": http_error(500, '{"error": {"message": "std::bad_alloc"}}')}


def by_model(request: Request) -> Script:
    """The fault that the model is called after, of the timed prompt; else a good answer."""
    name = str(request.body["model"])
    if _prompt_of(request) == PROMPT and name in FAULTY:
        return FAULTY[name]
    return good_model(request)


def good_model(request: Request) -> Script:
    """Five pieces, 4 ms apart, the first after 6 ms; fast where nothing is timed."""
    if _prompt_of(request) != PROMPT:
        return answer(PIECES)
    return answer(("One ", "two ", "three ", "four ", "five"), gap_ms=4, first_ms=6)


def slowly(request: Request) -> Script:
    """Of the timed prompt 0.3 s long, so that a test can come between."""
    if _prompt_of(request) != PROMPT:
        return answer(PIECES)
    return answer(PIECES, gap_ms=150)


def _prompt_of(request: Request) -> object:
    messages = request.body["messages"]
    assert isinstance(messages, list)
    last: dict[str, object] = messages[-1]
    return last["content"]
