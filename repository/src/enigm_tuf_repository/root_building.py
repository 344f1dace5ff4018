"""A root, made of settings: TUF's roles, and the extension that names the authorities."""

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
from enigm_tuf_repository.settings import Settings

KeyRecords = Mapping[Purpose, tuple[KeyRecord, ...]]


def build_root(settings: Settings, before: Root | None, now: datetime) -> Root:
    """Root version 1, or the one that follows ``before``. Nothing is decided here: the rules judge the result."""
    config, records = settings.config, settings.records()
    require_usable(config, records)
    version = before.version + 1 if before else 1
    signed = {
        **signed_part(Root, version, now + config.expiry_days.of("root")),
        "consistent_snapshot": True,
        "keys": {record.keyid: copy.deepcopy(record.key) for kind in _IN_ROOT for record in records[kind]},
        "roles": {
            "root": _role(records["root"], config.root_threshold),
            "targets": _role(records["manifest"], config.manifest_threshold),
            "snapshot": _role(records["manifest"], config.manifest_threshold),
            "timestamp": _role(records["timestamp"], 1),
        },
        FIELD: ROOT_EXTENSION.write(_extension(settings, records)),
    }
    if before:
        signed["spec_version"] = before.spec_version  # no listed change of root moves it
    return Root.read(signed, f"root version {version}")


_IN_ROOT: tuple[Purpose, ...] = ("root", "manifest", "timestamp")  # payload keys stand in delegations


def require_usable(config: RepositoryConfig, records: KeyRecords) -> None:
    """Every key was enrolled for what it is used for, in this environment, and proved that its token holds it."""
    for purpose, group in records.items():
        for record in group:
            if (record.purpose, record.environment) != (_enrolled_for(purpose, config), config.environment):
                raise MisuseError(
                    f"key {record.label} of {record.custodian} is enrolled for {record.purpose} in "
                    f"{record.environment}; {purpose}_keys in {config.environment} cannot use it"
                )
            require_key_class(record)
            require_possession(record)


def _enrolled_for(purpose: Purpose, config: RepositoryConfig) -> Purpose:
    """In model ``manifest-only`` root is held by custodians of the manifest authority."""
    return "manifest" if (purpose, config.authority_model) == ("root", "manifest-only") else purpose


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


def _extension(settings: Settings, records: KeyRecords) -> RootExtension:
    config = settings.config
    return RootExtension(
        environment=config.environment,
        authority_model=config.authority_model,
        authorities=_authorities(config, records),
        policies=settings.pins(),
        audit_logs=config.audit_logs.pins(),
        keyinfo={record.keyid: key_info(record) for group in records.values() for record in group},
        recovery=Recovery(config.recovery_threshold),
    )


def _authorities(config: RepositoryConfig, records: KeyRecords) -> Authorities:
    root, payload, manifest = (tuple(_keyids(records[purpose])) for purpose in ("root", "payload", "manifest"))
    if config.authority_model == "manifest-only":
        return Authorities(ManifestAuthority(tuple(dict.fromkeys((*root, *manifest)))), None)
    release = ReleaseAuthority((*root, *payload), payload, config.payload_threshold or 0)
    return Authorities(ManifestAuthority(manifest), release)


def _role(records: tuple[KeyRecord, ...], threshold: int) -> JsonObject:
    return {"keyids": _keyids(records), "threshold": threshold}


def _keyids(records: tuple[KeyRecord, ...]) -> list[str]:
    return [record.keyid for record in records]
