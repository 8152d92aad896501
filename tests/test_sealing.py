"""Secrets at rest."""

import uuid

import pytest
from flask import Flask

from app import sealing
from app.cloud.models import Service
from app.sealing import Sealer, SealingError

OLD, NEW = ("old", bytes(32)), ("new", bytes(range(32)))


def test_what_is_sealed_opens_at_its_place() -> None:
    sealer = Sealer((NEW,))
    assert sealer.open(sealer.seal("s3cret", "here"), "here") == "s3cret"


def test_a_sealed_value_does_not_contain_the_secret() -> None:
    assert "s3cret" not in Sealer((NEW,)).seal("s3cret", "here")


def test_a_value_that_was_copied_to_another_row_does_not_open() -> None:
    sealer = Sealer((NEW,))
    with pytest.raises(SealingError, match="does not belong here"):
        sealer.open(sealer.seal("s3cret", "services:1:password"), "services:2:password")


def test_an_older_key_still_opens_and_the_newest_one_seals() -> None:
    sealed = Sealer((OLD,)).seal("s3cret", "here")
    both = Sealer((NEW, OLD))
    assert both.open(sealed, "here") == "s3cret"
    assert both.is_newest(both.seal("s3cret", "here"))
    assert not both.is_newest(sealed)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(SealingError, match="'old'"):
        Sealer((NEW,)).open(Sealer((OLD,)).seal("s3cret", "here"), "here")


def test_a_sealed_attribute_keeps_only_ciphertext_in_its_column(app: Flask) -> None:
    service = Service(id=uuid.uuid4())
    service.password = "s3cret"
    assert service.password_sealed is not None
    assert "s3cret" not in service.password_sealed
    assert service.password == "s3cret"


def test_erasing_a_sealed_attribute_leaves_nothing(app: Flask) -> None:
    service = Service(id=uuid.uuid4())
    service.password = "s3cret"
    service.password = None
    assert service.password_sealed is None


def test_resealing_uses_the_newest_key_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(id=uuid.uuid4())
    service.password = "s3cret"
    keys = (NEW, ("k1", bytes(range(32))))
    monkeypatch.setitem(app.extensions, "skiff_sealer", Sealer(keys))
    assert vars(Service)["password"].reseal(service)
    assert not vars(Service)["password"].reseal(service)
    assert service.password == "s3cret"
    assert service.password_sealed is not None
    assert service.password_sealed.startswith("v1:new:")


def test_rotation_counts_what_it_sealed_anew(app: Flask) -> None:
    assert sealing.rotate() == 0
