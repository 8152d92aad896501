"""Logging: one line per event with the request id, and one filter that no secret passes."""

import logging
import re
import sys

from flask import Flask, g, has_request_context

# Header values, form fields and XML elements that hold a secret, in the shapes in which libraries print them.
_SECRETS = (
    re.compile(r"(?i)((?:proxy-)?authorization['\"]?\s*[:=]\s*['\"]?(?:basic|bearer)?\s*)[^\s'\",}]+"),
    re.compile(r"(?i)(x-vcloud-authorization['\"]?\s*[:=]\s*['\"]?)[^\s'\",}]+"),
    re.compile(r"(?i)(x-vmware-vcloud-access-token['\"]?\s*[:=]\s*['\"]?)[^\s'\",}]+"),
    re.compile(r"(?i)((?:set-)?cookie['\"]?\s*[:=]\s*['\"]?)[^\s'\"}]+"),
    re.compile(r"(?i)(\b\w*(?:password|passwd|secret|token|ticket)['\"]?\s*[:=]\s*['\"]?)[^\s'\",}&;]+"),
    re.compile(r"(?i)(<(?:\w+:)?(?:AdminPassword|DomainUserPassword|Ticket)>)[^<]+"),
    re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)"),
)


def without_secrets(text: str) -> str:
    """The text with the value of everything that looks like a secret taken out."""
    for pattern in _SECRETS:
        text = pattern.sub(r"\1…", text)
    return text


class _Formatter(logging.Formatter):
    """Formats first and cleans last, so that arguments and tracebacks are cleaned as well."""

    def format(self, record: logging.LogRecord) -> str:
        request_id = g.get("request_id", "") if has_request_context() else ""
        record.request_id = f" {request_id}" if request_id else ""
        # One event is one line: what a customer typed must not be able to forge a second one.
        lines = without_secrets(super().format(record)).splitlines()
        return "\n    ".join(lines)


def init(app: Flask) -> None:
    """Send everything to standard error, where the supervisor or systemd keeps it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s%(request_id)s %(message)s"))
    root = logging.getLogger()
    for old in [h for h in root.handlers if isinstance(h.formatter, _Formatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    app.logger.setLevel(logging.INFO)
    # One line for each request to vCloud, job and migration would bury what matters.
    for chatty in ("alembic", "app.vcloud.transport", "rq", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
