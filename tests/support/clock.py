"""The wall clock of the application under test."""

from datetime import UTC, datetime, timedelta


class Clock:
    """The wall clock of the application, moved by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 12, 14, 20, tzinfo=UTC)

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)
