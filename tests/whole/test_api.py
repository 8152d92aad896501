"""A program that knows only the address of the panel and a token: over real HTTP, carried out by a real worker."""

from typing import Any

import requests

from tests.support.customer import Customer
from tests.support.live import LivePanel
from tests.support.waiting import wait_until


def test_a_program_starts_a_machine(live_panel: LivePanel) -> None:
    token = Customer(live_panel.url).token("morning")
    with requests.Session() as session:
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {token}"

        def ask(path: str, method: str = "GET", **options: Any) -> requests.Response:
            answer = session.request(method, f"{live_panel.url}{path}", timeout=30, **options)
            assert answer.ok, answer.text
            return answer

        (machine,) = ask("/api/v1/vms?q=name:sandbox").json()["items"]
        choices = {one["action"]: one for one in ask(f"/api/v1/vms/{machine['id']}").json()["actions"]}
        headers = {"Idempotency-Key": "morning-1"}
        asked, again = (ask(choices["start"]["href"], "POST", headers=headers) for _ in range(2))
        assert asked.headers["Location"] == again.headers["Location"]
        wait_until(
            lambda: ask(asked.headers["Location"]).json()["state"] == "succeeded", "the machine starts", deadline_s=60
        )
        assert ask(f"/api/v1/vms/{machine['id']}").json()["state"] == "on"
