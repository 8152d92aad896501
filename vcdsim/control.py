"""The control endpoint: faults, clock, world, sessions and tasks by hand, as JSON under `/vcdsim/`.

It is no part of vCloud's API and only there when asked for; the server lets in loopback alone.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vcdsim import faults, state
from vcdsim.api import Answer

if TYPE_CHECKING:
    from vcdsim.simulator import Simulator

PREFIX = "/vcdsim/"
_TASK_ACTIONS = ("resume", "abort", "cancel")
Action = Callable[[Any], Any]


class Control:
    """Answers the requests under `/vcdsim/` for one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._actions: dict[tuple[str, str], Action] = {
            ("GET", "faults"): self._list_faults,
            ("POST", "faults"): self._add_faults,
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._move_clock,
            ("GET", "world"): self._world,
            ("PUT", "world"): self._load_world,
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): self._forget_requests,
            ("DELETE", "sessions"): self._expire_sessions,
            ("GET", "console"): self._console,
            ("PUT", "console"): self._change_console,
        }

        self._on_one: dict[tuple[str, str], Callable[[str, Any], Any]] = {
            ("POST", "tasks"): self._act_on_task,
            ("GET", "console"): self._guest,
            ("POST", "console"): self._close_console,
        }

    def handle(self, method: str, path: str, body: bytes) -> Answer:
        """200 with JSON, 400 with the reason, 404."""
        name = path.partition("?")[0].removeprefix(PREFIX.rstrip("/")).strip("/")
        if not name:
            on_all = {f"{method} {PREFIX}{one}" for method, one in self._actions}
            return _json(200, sorted(on_all | {f"{method} {PREFIX}{one}/ID" for method, one in self._on_one}))
        try:
            data = json.loads(body) if body else None
            kind, _, entity_id = name.partition("/")
            if entity_id and (method, kind) in self._on_one:
                return _json(200, self._on_one[method, kind](entity_id, data))
            action = self._actions.get((method, name))
            if action is None:
                return _json(404, {"error": f"there is no {method} {PREFIX}{name}"})
            return _json(200, action(data))
        except (ValueError, RecursionError, RuntimeError) as wrong:
            return _json(400, {"error": str(wrong)})

    def _list_faults(self, _: Any) -> Any:
        return [faults.to_data(one) for one in self._simulator.faults.all()]

    def _add_faults(self, data: Any) -> Any:
        self._simulator.faults.put(*(faults.from_data(one) for one in (data if isinstance(data, list) else [data])))
        return self._list_faults(None)

    def _clear_faults(self, _: Any) -> Any:
        self._simulator.faults.clear()
        return []

    def _clock(self, _: Any) -> Any:
        clock = self._simulator.clock
        return {"now": clock.now(), "is_manual": clock.is_manual}

    def _move_clock(self, data: Any) -> Any:
        if isinstance(data, dict) and len(data) == 1 and data.get("settle") is True:
            self._simulator.settle()
            return self._clock(None)
        seconds = data.get("advance_s") if isinstance(data, dict) and len(data) == 1 else None
        if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not math.isfinite(seconds):
            raise ValueError('the clock takes {"advance_s": SECONDS} or {"settle": true}')
        self._simulator.advance(seconds)
        return self._clock(None)

    def _world(self, _: Any) -> Any:
        return json.loads(self._simulator.dump())

    def _load_world(self, data: Any) -> Any:
        self._simulator.replace_world(state.from_data(data, self._simulator.clock))
        return {"vms": len(self._simulator.world.vms)}

    def _requests(self, _: Any) -> Any:
        return list(self._simulator.requests)

    def _forget_requests(self, _: Any) -> Any:
        self._simulator.requests.clear()
        return []

    def _expire_sessions(self, _: Any) -> Any:
        self._simulator.expire_sessions()
        return {}

    def _console(self, _: Any) -> Any:
        console = self._simulator.console
        connections = [dataclasses.asdict(one) for one in console.connections]
        return {"options": dataclasses.asdict(console.options), "connections": connections}

    def _change_console(self, data: Any) -> Any:
        self._simulator.console.options.change(data)
        return self._console(None)

    def _guest(self, vm_id: str, _: Any) -> Any:
        console = self._simulator.console
        return {"received": console.received(vm_id), "events": console.events(vm_id)}

    def _close_console(self, vm_id: str, data: Any) -> Any:
        code = data.get("close_code") if isinstance(data, dict) and len(data) == 1 else None
        if not isinstance(code, int) or code not in faults.CLOSE_CODES:
            raise ValueError('the connections to a VM take {"close_code": CODE}, as 1001')
        self._simulator.console.close(vm_id, code)
        return self._console(None)

    def _act_on_task(self, task_id: str, data: Any) -> Any:
        action = data.get("action") if isinstance(data, dict) else None
        if action not in _TASK_ACTIONS:
            raise ValueError(f"the action of a task is one of {', '.join(_TASK_ACTIONS)}")
        return {"status": self._simulator.act_on_task(task_id, action)}


def _json(status: int, value: Any) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(value).encode())
