"""A published tree whose newest root has other signatures, or another content: what a thief of keys could serve."""

import json
import shutil
from collections.abc import Callable, Collection
from hashlib import sha256
from pathlib import Path
from typing import Any

import pkcs11
from cryptography.hazmat.primitives import hashes
from pkcs11 import Mechanism, ObjectClass
from pkcs11.util.ec import encode_ecdsa_signature
from yubikit.piv import KEY_TYPE, SLOT, PivSession

from enigm_testkit.house import PIN, House
from enigm_testkit.piv_connection import VirtualPivConnection
from enigm_testkit.softhsm import MODULE
from enigm_tuf.model.strict_json import canonical, encode


def tree_with_root(
    published: Path, out: Path, version: int, without: Collection[str] = (), change: Callable[[Any], None] | None = None
) -> Path:
    """A copy of the tree; root ``version`` loses the signatures of these keyids, and ``change`` is done to the rest."""
    shutil.copytree(published, out)
    file = out / "metadata" / f"{version}.root.json"
    root = json.loads(file.read_bytes())
    root["signatures"] = [item for item in root["signatures"] if item["keyid"] not in without]
    if change:
        change(root)
    file.write_bytes(encode(root))
    return out


def root_by(house: House, tree: Path, change: Callable[[Any], None], *tokens: str) -> int:
    """A next root in the tree, changed as a thief likes, signed beside the tools with these tokens; its version."""
    roots = (tree / "metadata").glob("*.root.json")
    newest = max(roots, key=lambda path: int(path.name.split(".")[0]))
    signed = json.loads(newest.read_bytes())["signed"]
    signed["version"] += 1
    change(signed)
    data = canonical(signed)
    signatures = [{"keyid": house.key(token).keyid, "sig": stolen(house, token, data).hex()} for token in tokens]
    name = f"{signed['version']}.root.json"
    (tree / "metadata" / name).write_bytes(encode({"signed": signed, "signatures": signatures}))
    version: int = signed["version"]
    return version


def stolen(house: House, token: str, data: bytes) -> bytes:
    """A signature by whoever has the token and its PIN: no tool of ours asks what for."""
    if token in house.cards:
        card = PivSession(VirtualPivConnection(house.cards[token]))
        card.verify_pin(PIN)
        return card.sign(SLOT.SIGNATURE, KEY_TYPE.ECCP256, data, hashes.SHA256())
    pkcs11.lib(MODULE).reinitialize()
    with pkcs11.lib(MODULE).get_token(token_label=token).open(user_pin=PIN) as session:
        key: Any = session.get_key(object_class=ObjectClass.PRIVATE_KEY)
        return bytes(encode_ecdsa_signature(key.sign(sha256(data).digest(), mechanism=Mechanism.ECDSA, pin=PIN)))
