"""JSON Schema of what ``selftest --json`` prints; an output only ever gains fields."""

from foundry_tui.config.schema_parts import COUNT, COUNT_OR_NULL, TEXT, TRUTH, Schema, list_of, object_of
from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.known_timing import SCHEDULES, Condition, Fault

__all__ = ["selftest_schema"]

_AMOUNT: Schema = {"type": "number", "minimum": 0}
_AMOUNT_OR_NULL: Schema = {"type": ["number", "null"], "minimum": 0}
_CONDITION: Schema = {"enum": [condition.value for condition in Condition]}
_SCHEDULE_NAME: Schema = {"enum": [schedule.name for schedule in SCHEDULES]}
_STATUS: Schema = {"enum": [outcome.value for outcome in Outcome]}


def selftest_schema() -> Schema:
    """Of ``selftest --json``: errors are absolute, |ours − the server's|; all ``*_ns`` in ns."""
    return object_of(
        {
            "schema": {"const": "foundry-tui/selftest@1"},
            "passed": TRUTH,
            "environment": {"type": "object", "additionalProperties": TEXT},
            "warm_ups": COUNT,
            "frames": COUNT,
            "checks": list_of(_check_schema()),
            "clocks": list_of(_clock_schema()),
            "faults": list_of(_fault_schema()),
            "answers": list_of(_answer_schema()),
        }
    )


def _check_schema() -> Schema:
    """A median error against the largest that is let pass; of counts both are null."""
    return object_of(
        {
            "what": {"enum": ["ttft", "gap", "rate", "counts"]},
            "condition": _CONDITION,
            "schedule": _SCHEDULE_NAME,
            "error": _AMOUNT_OR_NULL,
            "aim": _AMOUNT_OR_NULL,
            "unit": {"enum": ["ns", "share", "answers"]},
            "passed": TRUTH,
        }
    )


def _clock_schema() -> Schema:
    compared = object_of({"written_ns": _AMOUNT_OR_NULL, "read_ns": _AMOUNT_OR_NULL, "error_ns": _spread()})
    schedule = object_of(
        {
            "name": _SCHEDULE_NAME,
            "first_ms": _AMOUNT,
            "gap_ms": _AMOUNT,
            "late_ms": _AMOUNT,
            "chunks": COUNT,
            "tokens": COUNT,
        }
    )
    return object_of(
        {
            "condition": _CONDITION,
            "schedule": schedule,
            "answers": COUNT,
            "exact": COUNT,
            "ttft": compared,
            "gap": compared,
            "rate": object_of({"error_share": _spread()}),
            "merged_share": _AMOUNT_OR_NULL,
            "delay_p99_ns": COUNT_OR_NULL,
            "withheld": list_of({"enum": ["merged-reads", "late-clock"]}),
        }
    )


def _spread() -> Schema:
    """Of absolute errors; p99 is null below n = 299."""
    numbers = object_of({"n": COUNT, "median": _AMOUNT, "p99": _AMOUNT_OR_NULL, "max": _AMOUNT})
    return {"anyOf": [numbers, {"type": "null"}]}


def _fault_schema() -> Schema:
    ending = object_of({"status": _STATUS, "chunks": COUNT, "warnings": list_of(TEXT)})
    names: Schema = {"enum": [fault.value for fault in Fault]}
    return object_of({"fault": names, "expected": ending, "seen": ending, "passed": TRUTH})


def _answer_schema() -> Schema:
    """The readings: ours from ``sent_ns`` on, then the server's."""
    return object_of(
        {
            "condition": _CONDITION,
            "schedule": _SCHEDULE_NAME,
            "status": _STATUS,
            "completion_tokens": COUNT_OR_NULL,
            "sent_ns": COUNT_OR_NULL,
            "chunk_ns": list_of(COUNT),
            "chunk_read": list_of(COUNT),
            "end_ns": COUNT_OR_NULL,
            "delay_p99_ns": COUNT_OR_NULL,
            "request_ns": COUNT,
            "written_ns": list_of(COUNT),
        }
    )
