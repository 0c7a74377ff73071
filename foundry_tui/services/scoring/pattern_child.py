"""The process that looks for regular expressions: one that has no end ends this process and no other.

Run as a file, with nothing of this package.  A line on stdin is ``[limit_s, pattern, ignores_case, text]`` in
JSON; for each comes a line: true, false or, in quotes, why it could not be tried.
"""

import faulthandler
import json
import os
import re
import sys

__all__ = ["main"]


def main() -> None:
    """Answer until stdin is closed, or until a search takes longer than its limit."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 - pathlib doubles the start
        for line in sys.stdin:
            limit_s, pattern, ignores_case, text = json.loads(line)
            # Its thread is none of Python's: it ends the process though the search never lets go of the GIL,
            # also where whoever asked is gone.
            faulthandler.dump_traceback_later(limit_s, exit=True, file=nowhere)
            try:
                found: bool | str = re.search(pattern, text, re.IGNORECASE * ignores_case) is not None
            except (re.error, OverflowError, RecursionError, MemoryError) as error:
                found = f"the pattern cannot be tried: {error}"
            faulthandler.cancel_dump_traceback_later()
            sys.stdout.write(f"{json.dumps(found)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
