"""`python -m tests.support.hasty [clock]`: the real worker and clock, which only look at vCloud more often.

The simulated vCloud beside them is 60 times as fast as a real one; without this a journey of many operations would
spend most of its time between two looks.
"""

import sys

import worker
from app.cloud import outcomes

TIMES = 4

if __name__ == "__main__":
    outcomes.POLLS_S = tuple(seconds / TIMES for seconds in outcomes.POLLS_S)  # type: ignore[assignment]
    outcomes.RETRY_S /= TIMES  # type: ignore[assignment]
    outcomes.QUEUE_S /= TIMES  # type: ignore[assignment]
    worker.RINGS_EVERY_S /= 2  # each ring of the clock costs a job, also where there is nothing to do yet
    sys.exit(worker.main(sys.argv[1:]))
