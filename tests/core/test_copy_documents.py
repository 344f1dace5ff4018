"""Backups, restore proofs and wrapping keys as documents: read as written; anything else is refused by its field."""

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from enigm_testkit.copy_documents import BACKUP, BLOB, PROOF, SPARE, WRAPPING, inventory
from enigm_testkit.custodians import soft_key
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.backup import (
    backup_bytes,
    read_backup,
    read_restore_proof,
    restore_bytes,
    write_backup,
    write_restore_proof,
)
from enigm_tuf.model.inventory import read_inventory, write_inventory
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.value import replace
from enigm_tuf.model.wrapping import read_wrapping_key, write_wrapping_key
from enigm_tuf.trust.signable import BACKUP_DOMAIN, RESTORE_DOMAIN, backup_made, restore_proved

DOCUMENTS: dict[str, tuple[bytes, Callable[[bytes, str], Any], Any]] = {
    "backup": (write_backup(BACKUP), read_backup, BACKUP),
    "proof": (write_restore_proof(PROOF), read_restore_proof, PROOF),
    "wrapping key": (write_wrapping_key(WRAPPING), read_wrapping_key, WRAPPING),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_read_as_it_was_written(name: str) -> None:
    data, read, value = DOCUMENTS[name]
    assert read(data, name) == value


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("change", [{"extra": 1}, {"schema": 2}, {"schema": None}])
def test_a_document_with_one_field_otherwise_is_not(name: str, change: dict[str, object]) -> None:
    data, read, _ = DOCUMENTS[name]
    with pytest.raises(MalformedError, match=f"^{name}: {next(iter(change))}"):
        read(json.dumps(json.loads(data) | change).encode(), name)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_field_may_be_missing(name: str) -> None:
    data, read, _ = DOCUMENTS[name]
    document = json.loads(data)
    for field in document:
        rest = {key: value for key, value in document.items() if key != field}
        with pytest.raises(MalformedError, match=field):
            read(json.dumps(rest).encode(), name)


def test_a_blob_is_the_one_that_the_statement_names() -> None:
    other = replace(BACKUP, blob=b64encode(BLOB + b"!").decode())
    with pytest.raises(MalformedError, match=f"blob: must have SHA-256 {sha256(BLOB)}"):
        read_backup(write_backup(other), "backup")
    with pytest.raises(MalformedError, match="blob: must be base64"):
        read_backup(write_backup(replace(BACKUP, blob="A")), "backup")


def test_a_wrapping_key_wraps_on_one_token_and_unwraps_on_another() -> None:
    wraps, unwraps = WRAPPING.places
    assert (WRAPPING.place("wrap"), WRAPPING.place("unwrap")) == (wraps, unwraps)
    for places, field in (
        ((unwraps, wraps), "places.use"),
        ((wraps, wraps), "places.use"),
        ((replace(wraps, token=SPARE), unwraps), "places.token.serial"),
        ((wraps,), "places"),
    ):
        with pytest.raises(MalformedError, match=field):
            read_wrapping_key(write_wrapping_key(replace(WRAPPING, places=places)), "wrapping key")


def test_statements_are_signed_behind_domains_of_their_own() -> None:
    assert backup_made(BACKUP.statement).data == BACKUP_DOMAIN + backup_bytes(BACKUP.statement)
    assert restore_proved(PROOF.statement).data == RESTORE_DOMAIN + restore_bytes(PROOF.statement)
    assert BACKUP_DOMAIN != RESTORE_DOMAIN


def test_an_inventory_lists_each_wrapping_key_once_and_of_its_own_environment() -> None:
    good = inventory(soft_key("payload-a"))
    assert read_inventory(write_inventory(good), "inventory") == good
    assert (good.wrapping_key(WRAPPING.id), good.wrapping_key("00")) == (WRAPPING, None)
    wraps, unwraps = WRAPPING.places
    for keys, field in (
        ((WRAPPING, WRAPPING), "wrapping_keys.id"),
        ((replace(WRAPPING, environment="production"),), "wrapping_keys.environment"),
        ((replace(WRAPPING, places=(unwraps, wraps)),), "places.use"),
    ):
        with pytest.raises(MalformedError, match=field):
            read_inventory(write_inventory(replace(good, wrapping_keys=keys)), "inventory")
