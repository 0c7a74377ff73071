"""JSON Schema of what ``selftest --json`` prints; an output only ever gains fields."""

from typing import TypeAlias

from foundry_tui.domain.chat import Outcome
from foundry_tui.domain.known_timing import SCHEDULES, Condition, Fault

__all__ = ["selftest_schema"]

_Schema: TypeAlias = dict[str, object]

_TEXT: _Schema = {"type": "string"}
_COUNT: _Schema = {"type": "integer", "minimum": 0}
_COUNT_OR_NULL: _Schema = {"type": ["integer", "null"], "minimum": 0}
_NUMBER: _Schema = {"type": "number", "minimum": 0}
_NUMBER_OR_NULL: _Schema = {"type": ["number", "null"], "minimum": 0}
_TRUTH: _Schema = {"type": "boolean"}
_CONDITION: _Schema = {"enum": [condition.value for condition in Condition]}
_SCHEDULE_NAME: _Schema = {"enum": [schedule.name for schedule in SCHEDULES]}
_STATUS: _Schema = {"enum": [outcome.value for outcome in Outcome]}


def selftest_schema() -> _Schema:
    """Of ``selftest --json``: errors are absolute, |ours − the server's|; all ``*_ns`` in ns."""
    return _object(
        {
            "schema": {"const": "foundry-tui/selftest@1"},
            "passed": _TRUTH,
            "environment": {"type": "object", "additionalProperties": _TEXT},
            "warm_ups": _COUNT,
            "frames": _COUNT,
            "checks": _list_of(_check_schema()),
            "clocks": _list_of(_clock_schema()),
            "faults": _list_of(_fault_schema()),
            "answers": _list_of(_answer_schema()),
        }
    )


def _check_schema() -> _Schema:
    """A median error against the largest that is let pass; of counts both are null."""
    return _object(
        {
            "what": {"enum": ["ttft", "gap", "rate", "counts"]},
            "condition": _CONDITION,
            "schedule": _SCHEDULE_NAME,
            "error": _NUMBER_OR_NULL,
            "aim": _NUMBER_OR_NULL,
            "unit": {"enum": ["ns", "share", "answers"]},
            "passed": _TRUTH,
        }
    )


def _clock_schema() -> _Schema:
    compared = _object({"written_ns": _NUMBER_OR_NULL, "read_ns": _NUMBER_OR_NULL, "error_ns": _spread()})
    schedule = _object(
        {
            "name": _SCHEDULE_NAME,
            "first_ms": _NUMBER,
            "gap_ms": _NUMBER,
            "late_ms": _NUMBER,
            "chunks": _COUNT,
            "tokens": _COUNT,
        }
    )
    return _object(
        {
            "condition": _CONDITION,
            "schedule": schedule,
            "answers": _COUNT,
            "exact": _COUNT,
            "ttft": compared,
            "gap": compared,
            "rate": _object({"error_share": _spread()}),
            "merged_share": _NUMBER_OR_NULL,
            "delay_p99_ns": _COUNT_OR_NULL,
            "withheld": _list_of({"enum": ["merged-reads", "late-clock"]}),
        }
    )


def _spread() -> _Schema:
    """Of absolute errors; p99 is null below n = 299."""
    numbers = _object({"n": _COUNT, "median": _NUMBER, "p99": _NUMBER_OR_NULL, "max": _NUMBER})
    return {"anyOf": [numbers, {"type": "null"}]}


def _fault_schema() -> _Schema:
    ending = _object({"status": _STATUS, "chunks": _COUNT, "warnings": _list_of(_TEXT)})
    names: _Schema = {"enum": [fault.value for fault in Fault]}
    return _object({"fault": names, "expected": ending, "seen": ending, "passed": _TRUTH})


def _answer_schema() -> _Schema:
    """The readings: ours from ``sent_ns`` on, then the server's."""
    return _object(
        {
            "condition": _CONDITION,
            "schedule": _SCHEDULE_NAME,
            "status": _STATUS,
            "completion_tokens": _COUNT_OR_NULL,
            "sent_ns": _COUNT_OR_NULL,
            "chunk_ns": _list_of(_COUNT),
            "chunk_read": _list_of(_COUNT),
            "end_ns": _COUNT_OR_NULL,
            "delay_p99_ns": _COUNT_OR_NULL,
            "request_ns": _COUNT,
            "written_ns": _list_of(_COUNT),
        }
    )


def _object(properties: dict[str, _Schema]) -> _Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list_of(schema: _Schema) -> _Schema:
    return {"type": "array", "items": schema}
