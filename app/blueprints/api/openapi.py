"""The OpenAPI 3.1 document, written from the declared endpoints and the dataclasses that check what is sent."""

import re
from functools import cache
from http import HTTPStatus

from flask import Response, json

from app.accounts.rules import TokenScope
from app.blueprints import web
from app.blueprints.api import problems
from app.blueprints.api.endpoints import ENDPOINTS, KEY_HEADER, KEY_MOST, Endpoint, Nothing, XmlText, bp
from app.blueprints.api.problems import Problem
from app.blueprints.api.schema import Json, json_schema, object_schema, properties

ABOUT = (
    "Machines, and what can be asked of them. Every command that makes an operation answers 202 and where the "
    "operation is; ask there how far it is. Sizes and times have their unit in their name, moments are in UTC."
)
KEY: Json = {
    "name": KEY_HEADER,
    "in": "header",
    "required": True,
    "description": "Any text of yours, new for each wish. Sent again with the same body it answers the first operation "
    "and does nothing; with another body it is refused with 409. A password is not compared.",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MOST, "pattern": "^[!-~]+$"},
}
REQUEST_ID: Json = {
    "X-Request-Id": {"required": True, "description": "For support.", "schema": {"type": "string"}},
}
MEANINGS = {
    400: "What was sent cannot be understood or does not fit; `field` says where.",
    401: "The token is missing, unknown, expired or revoked.",
    403: "The role of the person, or the scope of the token, does not allow it.",
    404: "There is nothing here, or it belongs to somebody else.",
    409: "It cannot be done now; `code` and `reason` say why.",
    413: "The body is too large.",
    415: "The body is no JSON.",
    429: "Too many unknown tokens came from this address.",
    500: "The fault is ours.",
    503: "The database does not answer.",
}
ALSO_SENT: dict[int, Json] = {
    401: {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}},
    429: {"Retry-After": {"required": True, "description": "Seconds.", "schema": {"type": "string"}}},
}


@bp.get("/openapi.json", provide_automatic_options=False)
@web.public
def openapi() -> Response:
    """The description of everything here; anybody may read it."""
    return Response(json.dumps(document()), content_type="application/json")


@cache
def document() -> Json:
    """The document, made once."""
    seen: dict[str, type] = {Problem.__name__: Problem}
    paths: dict[str, Json] = {}
    for one in ENDPOINTS:
        path = "/api/v1" + re.sub(r"<uuid:(\w+)>", r"{\1}", one.path)
        paths.setdefault(path, {})[one.method.lower()] = _operation(one, seen)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Machines", "version": "1", "description": ABOUT},
        "tags": [{"name": tag} for tag in dict.fromkeys(one.tag for one in ENDPOINTS)],
        "paths": paths,
        "components": {"schemas": _schemas(seen), "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _schemas(seen: dict[str, type]) -> Json:
    """Every named object, and those inside of them."""
    told: Json = {}
    while missing := [name for name in seen if name not in told]:
        for name in missing:
            told[name] = object_schema(seen[name], seen)
    return told


def _operation(one: Endpoint, seen: dict[str, type]) -> Json:
    scope = TokenScope.CHANGE if one.changes else TokenScope.READ
    told: Json = {
        "operationId": one.name,
        "summary": one.summary,
        "description": f"Needs a token with the scope `{scope.value}`.",
        "tags": [one.tag],
        "security": [{"token": []}],
        "parameters": _parameters(one, seen),
        "responses": {str(one.status): _success(one, seen), **{str(s): _refusal(s, seen) for s in one.errors}},
    }
    if one.changes:
        body = one.body or Nothing
        is_required = any(each.is_required for each in properties(body))
        told["requestBody"] = {
            "required": is_required,
            "content": {"application/json": {"schema": json_schema(body, seen)}},
        }
    return told


def _parameters(one: Endpoint, seen: dict[str, type]) -> list[Json]:
    uuid_schema = {"type": "string", "format": "uuid"}
    parts = re.findall(r"<uuid:(\w+)>", one.path)
    told: list[Json] = [{"name": name, "in": "path", "required": True, "schema": uuid_schema} for name in parts]
    if one.query is not None:
        query = object_schema(one.query, seen)
        told += [
            {
                "name": name,
                "in": "query",
                "required": name in query.get("required", ()),
                "schema": _without_null(schema),
            }
            for name, schema in query["properties"].items()
        ]
    return [*told, KEY] if one.is_asked else told


def _without_null(schema: Json) -> Json:
    """An argument of an address is there or not there, never null."""
    if "anyOf" not in schema:
        return schema
    words = {"description": schema["description"]} if "description" in schema else {}
    return {**schema["anyOf"][0], **words}


def _success(one: Endpoint, seen: dict[str, type]) -> Json:
    headers: Json = dict(REQUEST_ID)
    if one.answer is XmlText:
        content: Json = {"application/xml": {"schema": {"type": "string"}}}
        return {"description": "Here it is.", "headers": headers, "content": content}
    if one.status == 202:
        about = "Where to ask how far it is."
        headers["Location"] = {"required": True, "description": about, "schema": {"type": "string"}}
    if any(each.name == "pages" for each in properties(one.answer)):
        headers["Link"] = {"required": True, "description": "RFC 8288.", "schema": {"type": "string"}}
    return {
        "description": "Asked for." if one.status == 202 else "Here it is.",
        "headers": headers,
        "content": {"application/json": {"schema": json_schema(one.answer, seen)}},
    }


def _refusal(status: int, seen: dict[str, type]) -> Json:
    return {
        "description": f"{HTTPStatus(status).phrase}. {MEANINGS[status]}",
        "headers": {**REQUEST_ID, **ALSO_SENT.get(status, {})},
        "content": {problems.MEDIA_TYPE: {"schema": json_schema(Problem, seen)}},
    }
