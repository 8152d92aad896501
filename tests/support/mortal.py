"""`python -m tests.support.mortal MOMENT SINCE [HALT FILE]`: the real worker, which halts where a test kills it.

Its clock shows the ISO time MOMENT when the system's monotonic clock shows SINCE, as that of the test. It halts once
HALT is done, notes the number of its process in FILE, and goes on when somebody has removed FILE.
"""

import os
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import worker
from app import clock, vcloud
from app.cloud import mirror, sync
from app.db import db

HALTS: dict[str, tuple[Any, str]] = {
    "listing written": (sync, "apply_listing"),
    "documents read": (vcloud.Client, "whole_vapps"),
    "documents written": (mirror, "apply_vapps"),
}
"""After these calls; "written" is inside of a transaction, and what was read is in hand outside of one."""


def running_from(moment: datetime, since: float) -> Callable[[], datetime]:
    """A wall clock that goes on from there."""
    return lambda: moment + timedelta(seconds=time.monotonic() - since)


def halting(call: Callable[..., Any], file: Path) -> Callable[..., Any]:
    """The same call, which comes back only when the file that it writes is removed."""

    def halt(*args: Any, **kwargs: Any) -> Any:
        result = call(*args, **kwargs)
        if call.__name__ == "whole_vapps":
            result = list(result)  # it reads while it is gone through
        else:
            db.session.flush()
        file.with_suffix(".new").write_text(str(os.getpid()))
        file.with_suffix(".new").rename(file)
        while file.exists():
            time.sleep(0.01)
        return result

    return halt


if __name__ == "__main__":
    clock.now = running_from(datetime.fromisoformat(sys.argv[1]), float(sys.argv[2]))
    if len(sys.argv) > 3:
        owner, name = HALTS[sys.argv[3]]
        setattr(owner, name, halting(getattr(owner, name), Path(sys.argv[4])))
    sys.exit(worker.main([]))
