"""The first root, made of key records: TUF's roles, and the extension that names the two authorities."""

import copy
from collections.abc import Mapping
from datetime import datetime

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.keys import KeyRecord, Purpose
from enigm_tuf.model.root_extension import (
    FIELD,
    ROOT_EXTENSION,
    Authorities,
    KeyInfo,
    ManifestAuthority,
    Policies,
    Recovery,
    ReleaseAuthority,
    RootExtension,
)
from enigm_tuf.model.strict_json import JsonObject, sha256
from enigm_tuf.model.tuf import Root
from enigm_tuf.trust.key_class import require_key_class
from enigm_tuf.trust.possession import require_possession
from enigm_tuf_repository.configuration import RepositoryConfig
from enigm_tuf_repository.role_building import signed_part

KeyRecords = Mapping[Purpose, tuple[KeyRecord, ...]]


def first_root(config: RepositoryConfig, records: KeyRecords, policies: Policies, now: datetime) -> Root:
    """Root version 1 in model ``dual``. Nothing is decided here: the rules judge the result."""
    require_usable(config, records)
    signed = {
        **signed_part(Root, 1, now + config.expiry_days.of("root")),
        "consistent_snapshot": True,
        "keys": {record.keyid: copy.deepcopy(record.key) for kind in _IN_ROOT for record in records[kind]},
        "roles": {
            "root": _role(records["root"], config.root_threshold),
            "targets": _role(records["manifest"], config.manifest_threshold),
            "snapshot": _role(records["manifest"], config.manifest_threshold),
            "timestamp": _role(records["timestamp"], 1),
        },
        FIELD: ROOT_EXTENSION.write(_extension(config, records, policies)),
    }
    return Root.read(signed, "root version 1")


_IN_ROOT: tuple[Purpose, ...] = ("root", "manifest", "timestamp")  # payload keys stand in delegations


def require_usable(config: RepositoryConfig, records: KeyRecords) -> None:
    """Every key was enrolled for what it is used for, in this environment, and proved that its token holds it."""
    for purpose, group in records.items():
        for record in group:
            if (record.purpose, record.environment) != (purpose, config.environment):
                raise MisuseError(
                    f"key {record.label} of {record.custodian} is enrolled for {record.purpose} in "
                    f"{record.environment}; {purpose}_keys in {config.environment} cannot use it"
                )
            require_key_class(record)
            require_possession(record)


def key_info(record: KeyRecord) -> KeyInfo:
    """What root says beside the key object. ``attestation`` is the digest of the leaf certificate's base64 text."""
    attestation = sha256(record.attestation[0].encode()) if record.attestation else None
    return KeyInfo(
        spki_sha256=record.spki_sha256,
        home=record.home,
        token=record.token,
        attestation=attestation,
        custodian=record.custodian,
        environment=record.environment,
        key_class="wrapped-backup" if record.key_class == "wrapped-backup" else None,
    )


def _extension(config: RepositoryConfig, records: KeyRecords, policies: Policies) -> RootExtension:
    payload = tuple(_keyids(records["payload"]))
    release = ReleaseAuthority((*_keyids(records["root"]), *payload), payload, config.payload_threshold)
    return RootExtension(
        environment=config.environment,
        authority_model="dual",
        authorities=Authorities(ManifestAuthority(tuple(_keyids(records["manifest"]))), release),
        policies=policies,
        audit_logs=(),
        keyinfo={record.keyid: key_info(record) for group in records.values() for record in group},
        recovery=Recovery(config.recovery_threshold),
    )


def _role(records: tuple[KeyRecord, ...], threshold: int) -> JsonObject:
    return {"keyids": _keyids(records), "threshold": threshold}


def _keyids(records: tuple[KeyRecord, ...]) -> list[str]:
    return [record.keyid for record in records]
