"""Settings of a panel under test, as an environment."""

import base64
from pathlib import Path


def settings(data: Path, **changes: str) -> dict[str, str]:
    """A complete environment with keys, its data in `data`."""
    return {
        "SKIFF_DATA": str(data),
        "SKIFF_SESSION_KEY": "0123456789abcdef" * 4,
        "SKIFF_SEALING_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
        "SKIFF_DEMO": "1",
        **changes,
    }
