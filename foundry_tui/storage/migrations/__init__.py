"""Brings the file to the form that this version of the program knows, one step after the other."""

from foundry_tui.storage.migrations.runner import Step, migrate
from foundry_tui.storage.migrations.v1 import make_first_tables
from foundry_tui.storage.migrations.v2 import make_download_tables
from foundry_tui.storage.migrations.v3 import make_run_tables
from foundry_tui.storage.migrations.v4 import make_resource_table
from foundry_tui.storage.migrations.v5 import make_room_for_attempts
from foundry_tui.storage.migrations.v6 import make_score_tables
from foundry_tui.storage.migrations.v7 import make_annotation_tables
from foundry_tui.storage.migrations.v8 import make_judge_tables

__all__ = ["STEPS", "Step", "migrate"]

STEPS: tuple[Step, ...] = (
    make_first_tables,
    make_download_tables,
    make_run_tables,
    make_resource_table,
    make_room_for_attempts,
    make_score_tables,
    make_annotation_tables,
    make_judge_tables,
)
"""Step N, counted from 1, makes version N of the version before.  Never changed, only added to."""
