"""Settings: what is accepted, and the sentence for what is not."""

import dataclasses
from pathlib import Path

import pytest

from config import Config, ConfigError, contrast
from tests.support.settings import settings


def test_defaults_are_complete(tmp_path: Path) -> None:
    config = Config.from_env(settings(tmp_path))
    assert config.database_url == f"sqlite:///{tmp_path / 'skiff.db'}"
    assert config.public_url == "http://127.0.0.1:8080"
    assert config.brand_name == "Skiff"


def test_settings_cannot_be_changed_afterwards(tmp_path: Path) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config.from_env(settings(tmp_path)).port = 1  # type: ignore[misc]


def test_keys_may_stand_in_files_of_the_data_folder(tmp_path: Path) -> None:
    environ = settings(tmp_path)
    (tmp_path / "session.key").write_text(environ.pop("SKIFF_SESSION_KEY"))
    (tmp_path / "sealing.keys").write_text(environ.pop("SKIFF_SEALING_KEYS"))
    assert Config.from_env(environ).sealing_keys == (("k1", bytes(range(32))),)


def test_keys_are_not_shown_when_the_settings_are_printed(tmp_path: Path) -> None:
    config = Config.from_env(settings(tmp_path))
    assert config.session_key not in repr(config)
    assert str(config.sealing_keys[0][1]) not in repr(config)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "0"),
        ("SIM_PORT", "70000"),
        ("SKIFF_DEMO", "yes"),
        ("REDIS_URL", "http://somewhere"),
        ("REDIS_URL", "redis://:hidden@somewhere:many"),
        ("PUBLIC_URL", "http://panel.example"),
        ("PUBLIC_URL", "panel.example"),
        ("PUBLIC_URL", "https://panel.example/path"),
        ("PUBLIC_URL", "https://panel.example:abc"),
        ("PUBLIC_URL", "https://u:p@panel.example"),
        ("PUBLIC_URL", "https://panel.example#x"),
        ("PUBLIC_URL", "https://[bad"),
        ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", "garbage"),
        ("DEFAULT_LOCALE", "de"),
        ("DEFAULT_TIMEZONE", "Moscow"),
        ("BRAND_ACCENT", "teal"),
        ("BRAND_ACCENT", "#ffee00"),
        ("BRAND_ON_ACCENT", "#0e5f70"),
        ("BRAND_LOGO", "nowhere.svg"),
        ("SUPPORT_EMAIL", "support"),
        ("SKIFF_SESSION_KEY", "short"),
        ("SKIFF_SEALING_KEYS", "k1:notbase64"),
        ("SKIFF_SEALING_KEYS", "k1:c2hvcnQ="),
        ("SESSION_IDLE_MIN", "-1"),
        ("TRUSTED_PROXIES", "9"),
    ],
)
def test_a_wrong_value_is_refused_with_a_sentence_that_names_the_variable(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(ConfigError, match=name.replace("BRAND_ON_ACCENT", "BRAND_(ON_)?ACCENT")) as refusal:
        Config.from_env(settings(tmp_path, **{name: value}))
    assert str(refusal.value).endswith(".")


def test_a_start_without_keys_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"SKIFF_SESSION_KEY.*\./run --setup-only"):
        Config.from_env({"SKIFF_DATA": str(tmp_path)})


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#0e5f6b", "#ffffff") == pytest.approx(7.3, abs=0.05)


@pytest.mark.parametrize(
    ("public_url", "origins"),
    [
        ("https://Panel.example", {"https://panel.example"}),
        ("https://panel.example:443", {"https://panel.example"}),
        ("https://panel.example:8443", {"https://panel.example:8443"}),
        ("http://127.0.0.1:8080", {f"http://{name}:8080" for name in ("127.0.0.1", "localhost", "[::1]")}),
    ],
)
def test_pages_of_the_panel_are_known_by_what_browsers_send(tmp_path: Path, public_url: str, origins: set[str]) -> None:
    assert Config.from_env(settings(tmp_path, PUBLIC_URL=public_url)).origins == origins


@pytest.mark.parametrize(
    ("public_url", "asked", "host"),
    [
        ("https://panel.example:8443", "evil.example", "panel.example:8443/console/ws"),
        ("http://127.0.0.1:8080", "localhost:8080", "localhost:8082/console/ws"),
        ("http://127.0.0.1:8080", "[::1]:8080", "[::1]:8082/console/ws"),
        ("http://localhost:8080", "evil.example", "localhost:8082/console/ws"),
    ],
)
def test_browsers_reach_consoles_by_the_name_that_they_reached_the_panel_by(
    tmp_path: Path, public_url: str, asked: str, host: str
) -> None:
    assert Config.from_env(settings(tmp_path, PUBLIC_URL=public_url)).console_host(asked) == host
