"""The oracle: what may ever be installable, told naively from raw JSON. It knows nothing of ``enigm_tuf``.

Nothing is ever installable unless both authorities, as pinned by the newest trusted root, agree on it, and it is not
older than the floor. Slow, repetitive and plain on purpose. AssertionError says what is wrong.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from securesystemslib.formats import encode_canonical

Json = dict[str, Any]
MANIFEST = "manifests/phone/stable.json"


def _public(key: Json) -> ec.EllipticCurvePublicKey:
    loaded = load_pem_public_key(key["keyval"]["public"].encode())
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    return loaded


def _name(key: Json) -> bytes:
    return _public(key).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def names(root: Json, keyids: Iterable[str]) -> set[bytes]:
    """The public keys behind keyids, each once; those that root does not show count for nothing."""
    return {_name(root["keys"][keyid]) for keyid in keyids if keyid in root["keys"]}


def signers(data: bytes, keys: Iterable[Json]) -> set[bytes]:
    """Which of ``keys`` signed the file: by any signature in it, whatever keyid that claims."""
    envelope = json.loads(data)
    message = cast("str", encode_canonical(envelope["signed"])).encode()
    found = set()
    for key in keys:
        for item in envelope["signatures"]:
            try:
                _public(key).verify(bytes.fromhex(item["sig"]), message, ec.ECDSA(SHA256()))
            except InvalidSignature:
                continue
            found.add(_name(key))
    return found


def _enough(data: bytes, root: Json, keyids: Iterable[str], threshold: int) -> bool:
    return len(signers(data, [root["keys"][keyid] for keyid in keyids if keyid in root["keys"]])) >= threshold


def _role_signed(data: bytes, root: Json, role: str) -> bool:
    definition = root["roles"][role]
    return _enough(data, root, definition["keyids"], definition["threshold"])


def _signed(data: bytes) -> Json:
    return cast("Json", json.loads(data)["signed"])


def require_root_chain(before: bytes, after: bytes, served: Mapping[str, bytes]) -> None:
    """From one trusted root to the next: each step by both quorums, and by consent of the manifest authority."""
    current = before
    while current != after:
        number = _signed(current)["version"] + 1
        assert f"metadata/{number}.root.json" in served, "this root was never on the server"
        _require_next_root(current, served[f"metadata/{number}.root.json"])
        current = served[f"metadata/{number}.root.json"]


def _require_next_root(old_data: bytes, new_data: bytes) -> None:
    old, new = _signed(old_data), _signed(new_data)
    assert new["version"] == old["version"] + 1, "a root of the wrong version"
    assert _role_signed(new_data, old, "root"), "a root without the quorum of its predecessor"
    assert _role_signed(new_data, new, "root"), "a root without a quorum of its own"
    extension = new["x-enigm-tuf"]
    assert extension["environment"] == "staging"
    assert extension["authority_model"] == "dual", "the way back to one authority"
    assert not _manifest_keys(new) & _release_keys(new), "one key for both authorities"
    assert names(new, new["roles"]["root"]["keyids"]) <= _release_keys(new)
    if _manifest_side(old) != _manifest_side(new):
        recovery = old["x-enigm-tuf"]["recovery"]["threshold"]
        consent = _role_signed(new_data, old, "targets")
        assert consent or _enough(new_data, old, old["roles"]["root"]["keyids"], recovery), "no consent"


def _manifest_side(root: Json) -> object:
    roles = {role: (names(root, _keyids(root, role)), _threshold(root, role)) for role in ("targets", "snapshot")}
    return roles, root["x-enigm-tuf"]["policies"]["manifest"]


def _keyids(root: Json, role: str) -> list[str]:
    return cast("list[str]", root["roles"][role]["keyids"])


def _threshold(root: Json, role: str) -> int:
    return cast("int", root["roles"][role]["threshold"])


def _manifest_keys(root: Json) -> set[bytes]:
    return names(root, _keyids(root, "targets")) | names(root, _keyids(root, "snapshot"))


def _release_keys(root: Json) -> set[bytes]:
    """By what root says of them, since payload keys stand in no role of root."""
    release = root["x-enigm-tuf"]["authorities"]["release"]
    digests = {root["x-enigm-tuf"]["keyinfo"][keyid]["spki_sha256"] for keyid in release["keyids"]}
    here = {_name(key) for key in root["keys"].values()}
    return {key for key in here if hashlib.sha256(key).hexdigest() in digests}


def require_fresh(held: Mapping[str, bytes], now: datetime) -> None:
    """Root, timestamp, snapshot and all targets by their keys, unexpired, and each the one that the other names."""
    root = _signed(held["root"])
    for role in ("timestamp", "snapshot", "targets"):
        assert _role_signed(held[role], root, role), f"{role} without its quorum"
    for role in ("root", "timestamp", "snapshot", "targets", "phone.manifest", "phone.payload"):
        assert datetime.fromisoformat(_signed(held[role])["expires"]) > now, f"{role} expired"
    meta = _signed(held["timestamp"])["meta"]["snapshot.json"]
    assert meta["version"] == _signed(held["snapshot"])["version"]
    assert meta["hashes"]["sha256"] == hashlib.sha256(held["snapshot"]).hexdigest()
    for role in ("targets", "phone.manifest", "phone.payload"):
        assert _signed(held["snapshot"])["meta"][f"{role}.json"]["version"] == _signed(held[role])["version"]


def require_no_rollback(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
    """Under one root, no version that was trusted goes down."""
    if before["root"] == after["root"]:
        for role, data in before.items():
            assert _signed(after[role])["version"] >= _signed(data)["version"], f"{role} went back"


def require_agreement(
    held: Mapping[str, bytes], served: Mapping[str, bytes], version: str, path: str, floor: int
) -> Json:
    """Both authorities' signatures on both accounts, which say the same; the manifest's account of the payload."""
    root = _signed(held["root"])
    release_authority = root["x-enigm-tuf"]["authorities"]["release"]
    known = {**root["keys"], **_signed(held["targets"])["delegations"]["keys"]}
    assert signers(held["phone.manifest"], known.values()) & _manifest_keys(root), "manifest role by somebody else"
    pinned = {root["x-enigm-tuf"]["keyinfo"][keyid]["spki_sha256"] for keyid in release_authority["payload_keyids"]}
    by_payload_keys = {
        key for key in signers(held["phone.payload"], known.values()) if hashlib.sha256(key).hexdigest() in pinned
    }
    assert len(by_payload_keys) >= release_authority["payload_threshold"], "too few of the pinned payload keys"
    assert not by_payload_keys & _manifest_keys(root), "one key speaks for both authorities"
    manifest = _manifest(held, served)
    release = next(item for item in manifest["releases"] if item["version"] == version)
    account = next(item for item in release["payloads"] if item["path"] == path)
    target = _signed(held["phone.payload"])["targets"][path]
    assert (account["length"], account["hashes"]) == (target["length"], target["hashes"]), "other bytes"
    record = target["custom"]
    for name in ("version", "build_id", "rollback_index", "hardware_ids"):
        assert release[name] == record[name], f"they disagree on {name}"
    for name in ("type", "source_build"):
        assert account.get(name) == record.get(name), f"they disagree on {name}"
    assert (record["product"], manifest["product"], manifest["environment"]) == ("phone", "phone", "staging")
    assert "phone-a" in record["hardware_ids"]
    assert record["rollback_index"] >= floor, "below the floor"
    return cast("Json", account)


def _manifest(held: Mapping[str, bytes], served: Mapping[str, bytes]) -> Json:
    listed = _signed(held["phone.manifest"])["targets"][MANIFEST]
    folder, _, name = MANIFEST.rpartition("/")
    data = served[f"targets/{folder}/{listed['hashes']['sha256']}.{name}"]
    require_bytes(data, listed)
    return cast("Json", json.loads(data))


def require_bytes(data: bytes, account: Json) -> None:
    """The very bytes, by length and each hash."""
    assert len(data) == account["length"], "of another length"
    for algorithm, digest in account["hashes"].items():
        assert hashlib.new(algorithm, data).hexdigest() == digest, f"of another {algorithm}"
