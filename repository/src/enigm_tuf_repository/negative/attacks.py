"""The attacks. Each is what somebody can do who owns the server and no key, and the verdicts that it must meet.

A trick that makes no sense for a record, such as an older snapshot where there is none, is None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from enigm_tuf.model.keys import Environment
from enigm_tuf.model.tuf import Root, Targets
from enigm_tuf.model.value import replace as with_changed
from enigm_tuf.trust.root_rules import manifest_changes, view_root
from enigm_tuf_client.targets import hashed_path
from enigm_tuf_repository.lineage import SignedFile
from enigm_tuf_repository.negative.forging import forged_root, resigned
from enigm_tuf_repository.negative.scene import Scene, Trick, changed, metadata_path, signed_by, under
from enigm_tuf_repository.negative.tampering import CutOff, OneBit
from enigm_tuf_repository.role_building import hashed_name
from enigm_tuf_repository.trusted import role_keys

_SECOND = timedelta(seconds=1)
_ENDLESS = 1 << 32  # bytes: beyond every limit of a client, on every file system
_OTHER: Mapping[Environment, Environment] = {"production": "staging", "staging": "production"}


@dataclass(frozen=True, slots=True)
class Attack:
    """``refused_by`` are the verdicts of which it must meet one: IDs of rules, or classes of errors."""

    name: str
    refused_by: tuple[str, ...]
    play: Callable[[Scene], Trick | None]


def _old_timestamp(scene: Scene) -> Trick | None:
    old = scene.replaced("timestamp")
    return Trick(scene.informed, {metadata_path(old): old.data}) if old else None


def _old_snapshot(scene: Scene) -> Trick | None:
    """To a device that has lost its timestamp, at a time when the old one was good."""
    old, snapshot = scene.replaced("timestamp"), scene.replaced("snapshot")
    if old is None or snapshot is None:
        return None
    state = scene.informed.state
    metadata = {role: data for role, data in state.metadata.items() if role != "timestamp"}
    remembered = {role: known for role, known in state.remembered.items() if role != "timestamp"}
    state = with_changed(state, metadata=metadata, remembered=remembered, latest_time=None)
    device = replace(scene.informed, state=state, now=min(scene.now, old.value.expires - _SECOND))
    return Trick(device, {metadata_path(old): old.data})


def _old_role(kind: str) -> Callable[[Scene], Trick | None]:
    """The version before, under the name of the new one."""

    def play(scene: Scene) -> Trick | None:
        name = kind if kind == "targets" else f"{scene.fresh.product}.{kind}"
        old, new = scene.replaced(name), scene.role(name)
        return Trick(scene.fresh, {metadata_path(new): old.data}) if old and new else None

    return play


def _freeze(scene: Scene) -> Trick | None:
    timestamp = scene.context.roles["timestamp"]
    return Trick(replace(scene.informed, now=timestamp.value.expires + _SECOND))


def _clock_set_back(scene: Scene) -> Trick | None:
    latest = scene.informed.state.latest_time
    return Trick(replace(scene.informed, now=latest - _SECOND)) if latest else None


def _mix_and_match(scene: Scene) -> Trick | None:
    """No longer than the timestamp allows."""
    old, new = scene.replaced("snapshot"), scene.role("snapshot")
    return Trick(scene.fresh, {metadata_path(new): _as_long_as(new, old.data)}) if old and new else None


def _as_long_as(file: SignedFile, data: bytes) -> bytes:
    """A snapshot whose length is signed: signatures differ in length, and a cut file has another hash as well."""
    return data[: len(file.data)] if file.role == "snapshot" else data


def _another_role(scene: Scene) -> Trick | None:
    manifest, other = scene.manifest_role, scene.product_role
    if manifest is None or other is None:
        return None
    other = other if other is not manifest else scene.role("snapshot")
    return Trick(scene.fresh, {metadata_path(manifest): other.data}) if other else None


def _dropped_delegation(scene: Scene) -> Trick | None:
    targets = scene.role("targets")
    delegations = targets.value_as(Targets).delegations if targets else None
    if targets is None or delegations is None or not delegations.roles:
        return None

    raw = targets.value.raw
    roles = raw["delegations"] | {"roles": raw["delegations"]["roles"][1:]}
    made = under(raw | {"delegations": roles}, targets.signatures)
    return Trick(scene.fresh, {metadata_path(targets): made})


def _longer_life(scene: Scene) -> Trick | None:
    timestamp = scene.context.roles["timestamp"]

    def change(signed: dict[str, Any]) -> None:
        signed["expires"] = "2999-01-01T00:00:00Z"

    return Trick(scene.fresh, {metadata_path(timestamp): changed(timestamp, change)})


def _unsigned_change(scene: Scene) -> Trick | None:
    role, target = scene.manifest_role, scene.manifest_target(scene.context.after)
    if role is None or target is None:
        return None

    def change(signed: dict[str, Any]) -> None:
        signed["targets"][target.path]["hashes"]["sha256"] = "00" * 32

    return Trick(scene.fresh, {metadata_path(role): changed(role, change)})


def _foreign_signature(scene: Scene) -> Trick | None:
    role = scene.product_role or scene.role("snapshot")
    return Trick(scene.fresh, {metadata_path(role): _as_long_as(role, resigned(role))}) if role else None


def _missing_signature(scene: Scene) -> Trick | None:
    role, targets = scene.product_role or scene.role("snapshot"), scene.role("targets")
    if role is None:
        return None
    threshold = role_keys(role.role, scene.context.root, targets.value_as(Targets) if targets else None).threshold
    kept = dict(sorted(role.signatures.items())[: threshold - 1])
    return Trick(scene.fresh, {metadata_path(role): signed_by(role, kept)})


def _forged_root(scene: Scene) -> Trick | None:
    path, data = forged_root(scene.context.after["root"])
    return Trick(scene.informed, {path: data})


def _missing_consent(scene: Scene) -> Trick | None:
    """A root that changes the manifest authority, without the signatures of the outgoing one."""
    old, new = scene.replaced("root"), scene.role("root")
    if old is None or new is None:
        return None
    before, after = view_root(old.value_as(Root)), view_root(new.value_as(Root))
    kept = {keyid: item for keyid, item in new.signatures.items() if keyid in _root_keys(old) | _root_keys(new)}
    if not manifest_changes(before, after) or len(kept) == len(new.signatures):
        return None
    return Trick(scene.fresh, {metadata_path(new): signed_by(new, kept)})


def _root_keys(file: SignedFile) -> frozenset[str]:
    return frozenset(file.value_as(Root).roles["root"].keyids)


def _endless_data(scene: Scene) -> Trick | None:
    return Trick(scene.fresh, holes={metadata_path(scene.context.roles["timestamp"]): _ENDLESS})


def _cut_metadata(scene: Scene) -> Trick | None:
    timestamp = scene.context.roles["timestamp"]
    return Trick(scene.fresh, {metadata_path(timestamp): timestamp.data[:-1]})


def _swapped_payload(scene: Scene) -> Trick | None:
    """Other bytes of the same length, beside the chunk digests of the right ones."""
    if scene.payload is None:
        return None
    return Trick(scene.fresh, holes={scene.payload_path(): scene.payload.payload.length}, takes_payload=True)


def _one_bit(scene: Scene) -> Trick | None:
    if scene.payload is None:
        return None
    path = scene.payload_path()
    return Trick(scene.fresh, through=lambda fetcher: OneBit(fetcher, path, 0), takes_payload=True)


def _cut_payload(scene: Scene) -> Trick | None:
    """One byte short; a long one is cut before its second chunk, since hashing it all would take long."""
    if scene.payload is None:
        return None
    path, length, chunks = scene.payload_path(), scene.payload.payload.length, scene.payload.chunks
    end = min(length - 1, chunks.size if chunks else length)
    return Trick(scene.fresh, through=lambda fetcher: CutOff(fetcher, path, end), takes_payload=True)


def _replayed_release(scene: Scene) -> Trick | None:
    """The channel's manifest of before, under the name of the new one, no longer than that."""
    old, new = scene.manifest_target(scene.context.before), scene.manifest_target(scene.context.after)
    if old is None or new is None or old.hashes == new.hashes:
        return None
    found = scene.context.workspace.published / "targets" / hashed_name(old)
    if not found.is_file():
        return None
    path = f"targets/{hashed_path(new.path, new.hashes['sha256'])}"
    return Trick(scene.fresh, {path: found.read_bytes()[: new.length]})


def _below_the_floor(scene: Scene) -> Trick | None:
    """To a device that has run a newer release than this one."""
    if scene.payload is None:
        return None
    return Trick(replace(scene.fresh, floor=scene.payload.release.rollback_index + 1))


def _another_environment(scene: Scene) -> Trick | None:
    return Trick(replace(scene.fresh, environment=_OTHER.get(scene.environment, "staging")))


_SIGNATURE = "SIGNATURE-THRESHOLD"
# An old file meets SIGNATURE-THRESHOLD where its keys were changed since.
_OLD_ROLE = ("TARGETS-VERSION", "TARGETS-HASH", _SIGNATURE)
_UNSIGNED = (_SIGNATURE, "TARGETS-HASH")  # by hash where snapshot has one
_BYTES = ("CHUNK-HASH", "TARGET-HASH")  # the whole hash where nobody signed a chunk tree

ATTACKS = (
    Attack("rollback of timestamp", ("ROLLBACK-TIMESTAMP", _SIGNATURE), _old_timestamp),
    Attack("rollback of snapshot", ("ROLLBACK-SNAPSHOT", _SIGNATURE), _old_snapshot),
    Attack("rollback of targets", _OLD_ROLE, _old_role("targets")),
    Attack("rollback of the manifest role", _OLD_ROLE, _old_role("manifest")),
    Attack("rollback of the payload role", (*_OLD_ROLE, "PAYLOAD-PINNED"), _old_role("payload")),
    Attack("freeze", ("TIMESTAMP-EXPIRED", "ROOT-EXPIRED"), _freeze),
    Attack("clock set back", ("TIME-FLOOR",), _clock_set_back),
    Attack("mix and match", ("SNAPSHOT-HASH",), _mix_and_match),
    Attack("another role's file", (*_UNSIGNED, "METADATA-TYPE", "MalformedError"), _another_role),
    Attack("dropped delegation", _UNSIGNED, _dropped_delegation),
    Attack("longer life", (_SIGNATURE,), _longer_life),
    Attack("unsigned change", _UNSIGNED, _unsigned_change),
    Attack("foreign signature", (*_UNSIGNED, "SNAPSHOT-HASH"), _foreign_signature),
    Attack("missing signature", (*_UNSIGNED, "PAYLOAD-PINNED", "SNAPSHOT-HASH"), _missing_signature),
    Attack("forged root", (_SIGNATURE,), _forged_root),
    Attack("missing consent", ("ROOT-CONSENT",), _missing_consent),
    Attack("endless data", ("TransportError",), _endless_data),
    Attack("cut metadata", ("MalformedError",), _cut_metadata),
    Attack("swapped payload", _BYTES, _swapped_payload),
    Attack("one bit flipped", _BYTES, _one_bit),
    Attack("cut payload", _BYTES, _cut_payload),
    Attack("replayed release", ("TARGET-HASH",), _replayed_release),
    Attack("below the floor", ("ROLLBACK-INDEX",), _below_the_floor),
    Attack("another environment", ("ENVIRONMENT-MATCH",), _another_environment),
)
