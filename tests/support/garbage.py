"""Plug-in: what the collected tests hold is for ever, so the garbage collector need not walk through it each time.

tests/conftest.py names it in `pytest_plugins`.
"""

import gc

import pytest


def pytest_collection_finish(session: pytest.Session) -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
