"""Reading several things one after the other; on a slow line others are under way meanwhile."""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from app.vcloud.wire import Early, Path, Wire

SLOW_S = 0.03
"""An answer that takes longer is waited for rather than worked on, and waiting can be shared."""
_AT_ONCE = 4
_AHEAD = 2 * _AT_ONCE  # asked for but not read yet: a late one shall not stop the others

T = TypeVar("T")


def in_turn(
    wire: Wire, queue: deque[tuple[T, Path]], clock: Callable[[], float]
) -> Generator[tuple[T, Path, Early | None], None, None]:
    """Yield what is in the queue, each in its turn, with what was asked for already; more may be queued meanwhile.

    The time that the first one takes tells whether the line is slow. Close it, or threads go on for nobody.
    """
    wire.version()  # logs in if need be, so that what is timed is an answer and nothing else
    started = clock()
    if queue:
        yield *queue.popleft(), None
    is_slow = clock() - started > SLOW_S
    asked = deque[tuple[T, Path, Early]]()
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # has no thread before it is given work, and none afterwards
        try:
            while queue or asked:
                while is_slow and queue and len(asked) < _AHEAD:
                    what, path = queue.popleft()
                    asked.append((what, path, wire.ask_early(path, pool)))
                yield asked.popleft() if asked else (*queue.popleft(), None)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # what is under way ends by its own time limit
