"""Every setting of Skiff in one frozen value; the only reader of the environment.

Standard library only, so that set-up can read the settings before anything is installed.
A wrong value is refused at start by `ConfigError`, whose sentence names the variable and the next step.
"""

import base64
import binascii
import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

LOCALES = ("en", "ru")
CONSOLE_CLIENTS = ("wmks", "novnc")
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
ROOT = Path(__file__).resolve().parent


class ConfigError(Exception):
    """A setting is missing or wrong; the text is a whole sentence for the operator."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings. The comment of each field is its documentation; the variable stands in brackets."""

    # [SKIFF_DATA] Folder for the embedded database, Redis file, keys and the simulator's world.
    data: Path
    # [DATABASE_URL] SQLAlchemy address; empty means SQLite in SKIFF_DATA. PostgreSQL: postgresql://user:pw@host/name
    database_url: str
    # [REDIS_URL] Redis >= 6.2 or Valkey, only a doorbell: losing it loses no work. Must be private and authenticated.
    redis_url: str
    # [SKIFF_SESSION_KEY] or file SKIFF_DATA/session.key: signs cookies and form tokens; 32 characters at least.
    session_key: str = field(repr=False)
    # [SKIFF_SEALING_KEYS] or file SKIFF_DATA/sealing.keys: lines "id:base64 of 32 bytes"; the first one seals,
    # the others only open what was sealed before (`flask rotate-secrets` re-seals, then the old line may go).
    sealing_keys: tuple[tuple[str, bytes], ...] = field(repr=False)
    # [PUBLIC_URL] Address in the customer's browser. https switches Secure cookies and HSTS on;
    # plain http is accepted on a loopback address only.
    public_url: str
    # [PORT] Port of the web server on 127.0.0.1, used by ./run.
    port: int
    # [SIM_PORT] Port of the vCloud simulator on 127.0.0.1, used by ./run in a demo installation.
    sim_port: int
    # [CONSOLE_CLIENT] What draws screens in the browser: wmks (VMware's, the usual one) or novnc (free software).
    console_client: str
    # [SIM_CONSOLE_PORT] Port of the simulator's consoles on 127.0.0.1, likewise.
    sim_console_port: int
    # [CONSOLE_PORT] Port of the console gateway on 127.0.0.1. With https nginx forwards /console/ws/ to it; over plain
    # http (a demo) the browser comes to it itself.
    console_port: int
    # [CONSOLE_IDLE_MIN] Minutes without a byte in either direction after which a console is closed.
    console_idle_min: int
    # [CONSOLE_MAX_H] Hours after which a console is closed in any case.
    console_max_h: int
    # [CONSOLE_PER_ACCOUNT] Consoles that one account may have open at a time.
    console_per_account: int
    # [CONSOLE_TOTAL] Consoles that one gateway process keeps open at a time.
    console_total: int
    # [SKIFF_DEMO] 1: demo data and demo logins may be made. ./run sets it unless DATABASE_URL is given.
    demo: bool
    # [TRUSTED_PROXIES] Number of reverse proxies whose X-Forwarded-* headers are believed; behind our nginx: 1.
    trusted_proxies: int
    # [SESSION_IDLE_MIN] Minutes without a click after which a session ends.
    session_idle_min: int
    # [SESSION_MAX_H] Hours after which a session ends in any case.
    session_max_h: int
    # [SYNC_EVERY_MIN] Minutes between two automatic reads of every virtual data center.
    sync_every_min: int
    # [RECYCLE_HOURS] Hours that a deleted server stays in the recycle bin, off, and can be restored; its disks are
    # taken meanwhile. 0: it is erased at once, which means within a minute.
    recycle_hours: int
    # [DEFAULT_LOCALE] Language before anybody chose one: en or ru.
    locale: str
    # [DEFAULT_TIMEZONE] Zone of the times on pages without an account, for example Europe/Moscow.
    timezone: str
    # [BRAND_NAME] Name of the panel on every page.
    brand_name: str
    # [BRAND_LOGO] Path of an SVG file that replaces the mark; empty means ours.
    brand_logo: Path | None
    # [BRAND_ACCENT] Colour of what can be pressed, #rrggbb; at least 4.5:1 against white and against its label.
    brand_accent: str
    # [BRAND_ON_ACCENT] Colour of the label on the accent: #rrggbb.
    brand_on_accent: str
    # [BRAND_LEGAL] Line at the foot of the sign-in page, for example the company's name.
    brand_legal: str
    # [SUPPORT_EMAIL] Where customers write when the panel cannot help; empty leaves the line out.
    support_email: str

    @property
    def secure(self) -> bool:
        """Whether customers come over https."""
        return self.public_url.startswith("https://")

    @property
    def sim_console_certificate(self) -> Path:
        """Where the simulator keeps the certificate of its consoles."""
        return self.data / "vcdsim-console.pem"

    def console_host(self, host: str) -> str:
        """Host and path of the consoles for a browser that reached the panel at `host` (a Host header).

        Over https that is the panel's public address. Over plain http cookies and Origin are those of the name that
        was typed, 127.0.0.1 or localhost, so the way to the gateway must begin with the same.
        """
        public = urlsplit(self.public_url)
        if self.secure:
            return f"{public.netloc}/console/ws"
        name = re.sub(r":\d*$", "", host)
        if not _is_loopback(name.strip("[]")):
            name = re.sub(r":\d*$", "", public.netloc)
        return f"{name}:{self.console_port}/console/ws"

    @property
    def origins(self) -> frozenset[str]:
        """What browsers send as Origin from a page of this panel."""
        public = urlsplit(self.public_url.lower())
        host = f"[{public.hostname}]" if ":" in (public.hostname or "") else public.hostname
        port = "" if public.port in (None, 443 if self.secure else 80) else f":{public.port}"
        names = (host,) if self.secure else (host, *LOOPBACK)
        return frozenset(f"{public.scheme}://{name}{port}" for name in names)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> "Config":
        """Read all settings, or raise `ConfigError` at the first wrong one."""
        data = data_folder(environ)
        port = _integer(environ, "PORT", 8080, 1, 65535)
        return cls(
            data=data,
            database_url=_database_url(environ, data),
            redis_url=_redis_url(environ),
            session_key=_session_key(environ, data),
            sealing_keys=_sealing_keys(environ, data),
            public_url=_public_url(environ, port),
            port=port,
            sim_port=_integer(environ, "SIM_PORT", 8081, 1, 65535),
            console_client=_choice(environ, "CONSOLE_CLIENT", CONSOLE_CLIENTS),
            sim_console_port=_integer(environ, "SIM_CONSOLE_PORT", 8083, 1, 65535),
            console_port=_integer(environ, "CONSOLE_PORT", 8082, 1, 65535),
            console_idle_min=_integer(environ, "CONSOLE_IDLE_MIN", 30, 1, 24 * 60),
            console_max_h=_integer(environ, "CONSOLE_MAX_H", 8, 1, 24 * 7),
            console_per_account=_integer(environ, "CONSOLE_PER_ACCOUNT", 20, 1, 10_000),
            console_total=_integer(environ, "CONSOLE_TOTAL", 500, 1, 10_000),
            demo=_flag(environ, "SKIFF_DEMO"),
            trusted_proxies=_integer(environ, "TRUSTED_PROXIES", 0, 0, 5),
            session_idle_min=_integer(environ, "SESSION_IDLE_MIN", 60, 1, 24 * 60),
            session_max_h=_integer(environ, "SESSION_MAX_H", 12, 1, 24 * 30),
            sync_every_min=_integer(environ, "SYNC_EVERY_MIN", 30, 1, 24 * 60),
            recycle_hours=_integer(environ, "RECYCLE_HOURS", 24, 0, 24 * 90),
            locale=_choice(environ, "DEFAULT_LOCALE", LOCALES),
            timezone=_timezone(environ),
            brand_name=environ.get("BRAND_NAME") or "Skiff",
            brand_logo=_logo(environ),
            **_colours(environ),
            brand_legal=environ.get("BRAND_LEGAL", ""),
            support_email=_email(environ),
        )


def data_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The data folder, absolute; it need not exist yet."""
    chosen = Path(environ.get("SKIFF_DATA") or "instance")
    return chosen if chosen.is_absolute() else ROOT / chosen


def _integer(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = environ.get(name) or str(default)
    if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
        raise ConfigError(f"{name} is {text!r}; it must be a whole number from {least} to {most}.")
    return int(text)


def _flag(environ: Mapping[str, str], name: str) -> bool:
    text = environ.get(name) or "0"
    if text not in ("0", "1"):
        raise ConfigError(f"{name} is {text!r}; it must be 1 or 0.")
    return text == "1"


def _choice(environ: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    text = environ.get(name) or choices[0]
    if text not in choices:
        raise ConfigError(f"{name} is {text!r}; it must be one of {', '.join(choices)}.")
    return text


def _database_url(environ: Mapping[str, str], data: Path) -> str:
    url = environ.get("DATABASE_URL") or f"sqlite:///{data / 'skiff.db'}"
    if not re.match(r"(postgresql|sqlite)://", url):
        raise ConfigError("DATABASE_URL must begin with postgresql:// (or sqlite:///).")
    return url


def _redis_url(environ: Mapping[str, str]) -> str:
    url = environ.get("REDIS_URL") or "redis://127.0.0.1:6379/0"
    try:
        parts = urlsplit(url)
        is_right = parts.scheme in ("redis", "rediss", "unix") and parts.port != 0
    except ValueError:
        is_right = False
    if not is_right:  # its password is not repeated here
        raise ConfigError("REDIS_URL must look like redis://:password@host:6379, rediss://… or unix:///path.")
    return url


def _file_or_variable(environ: Mapping[str, str], name: str, file: Path) -> str:
    text = environ.get(name) or (file.read_text("utf-8") if file.is_file() else "")
    if not text.strip():
        raise ConfigError(f"{name} is not set and {file} does not exist; run ./run --setup-only once to make the keys.")
    return text.strip()


def _session_key(environ: Mapping[str, str], data: Path) -> str:
    key = _file_or_variable(environ, "SKIFF_SESSION_KEY", data / "session.key")
    if len(key) < 32:
        raise ConfigError("SKIFF_SESSION_KEY is shorter than 32 characters; use 64 random hexadecimal digits.")
    return key


def _sealing_keys(environ: Mapping[str, str], data: Path) -> tuple[tuple[str, bytes], ...]:
    keys = []
    for line in _file_or_variable(environ, "SKIFF_SEALING_KEYS", data / "sealing.keys").split():
        key_id, _, encoded = line.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except (ValueError, binascii.Error):
            key = b""
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", key_id) or len(key) != 32:
            raise ConfigError("SKIFF_SEALING_KEYS has a line that is not 'id:base64 of 32 bytes'.")
        keys.append((key_id, key))
    return tuple(keys)


def _public_url(environ: Mapping[str, str], port: int) -> str:
    url = (environ.get("PUBLIC_URL") or f"http://127.0.0.1:{port}").rstrip("/")
    if not re.fullmatch(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(:\d{1,5})?", url):
        raise ConfigError(f"PUBLIC_URL is {url!r}; it must look like https://panel.example, without a path.")
    parts = urlsplit(url)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ConfigError(f"PUBLIC_URL is {url!r}; plain http is accepted on a loopback address only, use https.")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _timezone(environ: Mapping[str, str]) -> str:
    name = environ.get("DEFAULT_TIMEZONE") or "UTC"
    # A system without the zone database still knows UTC; the tzdata package brings the rest after set-up.
    if name != "UTC" and available_timezones() and name not in available_timezones():
        raise ConfigError(f"DEFAULT_TIMEZONE is {name!r}; it must be a zone such as Europe/Moscow.")
    return name


def _logo(environ: Mapping[str, str]) -> Path | None:
    if not environ.get("BRAND_LOGO"):
        return None
    path = Path(environ["BRAND_LOGO"])
    if path.suffix != ".svg" or not path.is_file():
        raise ConfigError(f"BRAND_LOGO is {str(path)!r}; it must be the path of an existing .svg file.")
    return path


def _email(environ: Mapping[str, str]) -> str:
    text = environ.get("SUPPORT_EMAIL", "")
    if text and not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", text):
        raise ConfigError(f"SUPPORT_EMAIL is {text!r}; it must be one e-mail address.")
    return text


def _colours(environ: Mapping[str, str]) -> dict[str, str]:
    colours = {
        "brand_accent": environ.get("BRAND_ACCENT") or "#0e5f6b",
        "brand_on_accent": environ.get("BRAND_ON_ACCENT") or "#ffffff",
    }
    for name, colour in colours.items():
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
            raise ConfigError(f"{name.upper()} is {colour!r}; it must look like #0e5f6b.")
    for other, what in (("#ffffff", "white"), (colours["brand_on_accent"], "BRAND_ON_ACCENT")):
        ratio = contrast(colours["brand_accent"], other)
        if ratio < 4.5:
            raise ConfigError(f"BRAND_ACCENT has a contrast of {ratio:.1f}:1 to {what}; 4.5:1 is needed to be read.")
    return colours


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two #rrggbb colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    bright, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
