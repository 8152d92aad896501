"""Reading several things one after the other; on a slow line others are under way meanwhile."""

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from app.vcloud.wire import Early, Path, Wire

SLOW_S = 0.03
"""An answer that takes longer is waited for rather than worked on, and waiting can be shared."""
_AT_ONCE = 4
_AHEAD = 2 * _AT_ONCE  # asked for but not read yet: a late one shall not stop the others


def in_turn(wire: Wire, paths: Sequence[Path], *, is_slow: bool) -> Generator[tuple[Path, Early | None], None, None]:
    """Yield each path in its turn, with what was asked for already; close it, or threads go on for nobody."""
    to_ask, asked = iter(paths if is_slow else ()), deque[Early]()
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # has no thread before it is given work, and none afterwards
        try:
            for path in paths:
                next_ones = islice(to_ask, _AHEAD - len(asked))
                asked.extend(wire.ask_early(other, pool) for other in next_ones)
                yield path, asked.popleft() if asked else None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # what is under way ends by its own time limit
