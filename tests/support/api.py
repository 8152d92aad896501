"""A program that speaks with the API: it shows its token, and holds every answer against the OpenAPI document."""

import re
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
from flask import Flask
from werkzeug.datastructures import Headers

from app.blueprints.api.openapi import document
from tests.support.cast import new_token

BASE = "/api/v1"
KEY = "Idempotency-Key"


@dataclass(frozen=True)
class Answer:
    """What came back; `json` is the body, None if it is XML."""

    status_code: int
    headers: Headers
    text: str
    json: Any


class Program:
    """Holds a token; `None` shows none."""

    def __init__(self, app: Flask, token: str | None, *, language: str | None = None) -> None:
        self._client = app.test_client(use_cookies=False)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if language:
            self._headers["Accept-Language"] = language

    def get(self, path: str, **query: object) -> Answer:
        """Ask."""
        return self.send("GET", path, query_string={name: str(value) for name, value in query.items()})

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        """Command, with a new key unless one is given; an empty one sends none."""
        headers = {KEY: new_token() if key is None else key} if key != "" else {}
        return self.send("POST", path, json={} if body is None else body, headers=headers)

    def send(self, method: str, path: str, **options: Any) -> Answer:
        """Send anything; the answer is checked."""
        headers = {**self._headers, **options.pop("headers", {})}
        response = self._client.open(BASE + path, method=method, headers=headers, **options)
        answer = Answer(response.status_code, response.headers, response.text, response.get_json(silent=True))
        _check(method, BASE + path, answer)
        return answer


def _check(method: str, path: str, answer: Answer) -> None:
    """What holds for every answer: never a page, never kept, named for support, and as it is documented."""
    is_good = answer.status_code < 400
    declared = _declared(method, path)
    content = declared[str(answer.status_code)]["content"] if declared and str(answer.status_code) in declared else {}
    (media_type,) = content or ["application/json" if is_good else "application/problem+json"]
    assert answer.headers["Content-Type"] == media_type, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-Id"]
    assert "Set-Cookie" not in answer.headers
    if is_good:
        assert answer.json is None or "code" not in answer.json
    else:
        assert answer.json["status"] == answer.status_code
        assert answer.json["request_id"] == answer.headers["X-Request-Id"]
    if declared is not None:
        assert content, f"{method} {path} does not tell of {answer.status_code}"
        schema = {**content[media_type]["schema"], "components": document()["components"]}
        jsonschema_rs.validator_for(schema).validate(answer.text if answer.json is None else answer.json)


def _declared(method: str, path: str) -> Any:
    """The answers that the document tells of for this address, None for one that it does not know."""
    for template, item in document()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in item:
            return item[method.lower()]["responses"]
    return None


def problem(answer: Answer) -> tuple[int, str, str | None]:
    """Status, code and field of a refusal."""
    return answer.status_code, answer.json["code"], answer.json["field"]
