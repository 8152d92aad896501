"""Starting with a wrong setting: one sentence, and an end."""

from pathlib import Path

from tests.support.program import Program
from tests.support.waiting import wait_until


def test_gunicorn_gives_up_at_a_wrong_setting(tmp_path: Path) -> None:
    command = ["-m", "gunicorn", "wsgi:app", "-b", "127.0.0.1:0", "--no-control-socket"]
    with Program(command, tmp_path / "log", {"SKIFF_DATA": str(tmp_path), "PORT": "8080"}) as web:
        wait_until(lambda: web.process.poll() is not None, "gunicorn ends", deadline_s=60)
        assert web.process.returncode != 0
        assert web.said.count("Skiff does not start: SKIFF_SESSION_KEY is not set") == 1
