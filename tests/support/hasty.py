"""`python -m tests.support.hasty [clock]`: the real worker and clock, which only look at vCloud more often.

The simulated vCloud beside them is 60 times as fast as a real one; without this a journey of many operations would
spend most of its time between two looks. Jobs run in the worker itself, because a fork for each of some thousand looks
is most of what such a journey costs; that a job dies with its fork, and what of it is left, is tested with the real
worker in `tests/whole`.
"""

import sys
from typing import Any

from rq import SimpleWorker

import worker
from app.cloud import outcomes
from app.db import db

TIMES = 4


class HastyWorker(SimpleWorker):
    """Leaves nothing of a job to the next one, as a fork would not."""

    def perform_job(self, *arguments: Any) -> bool:
        """Run a job; returns whether it ended well."""
        try:
            return bool(super().perform_job(*arguments))
        finally:
            db.session.remove()


if __name__ == "__main__":
    outcomes.POLLS_S = tuple(seconds / TIMES for seconds in outcomes.POLLS_S)  # type: ignore[assignment]
    outcomes.RETRY_S /= TIMES  # type: ignore[assignment]
    outcomes.QUEUE_S /= TIMES  # type: ignore[assignment]
    worker.RINGS_EVERY_S /= 2  # each ring of the clock costs a job, also where there is nothing to do yet
    worker.PanelWorker = HastyWorker  # type: ignore[assignment, misc]
    sys.exit(worker.main(sys.argv[1:]))
