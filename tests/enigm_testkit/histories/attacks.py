"""What an attacker who owns the server can answer instead of the files that are there.

Each attack gets the honest answer for one role and returns another. Where it needs signatures, it has the keys of
that role: TUF's version and expiry rules must hold against a key holder too.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from enigm_testkit.histories.keys import STRANGER
from enigm_testkit.histories.repository import Repository
from enigm_testkit.histories.server import ENDLESS, Body

TIMESTAMP_LIMIT = 16_384


@dataclass(frozen=True)
class Attack:
    """``name`` on the files of one role (``victim``), with whatever it needs: another role, how far back, a number."""

    name: str
    victim: int
    other: int
    back: int
    amount: int

    def answer(self, repository: Repository, role: str, body: Body) -> Body:
        """What the client gets when it asks for a file of ``role``."""
        roles = repository.roles()
        everywhere = self.name in {"freeze", "mix"}
        if role != roles[self.victim % len(roles)] and not everywhere:
            return body
        return _ATTACKS[self.name](Scene(self, repository, role, roles[self.other % len(roles)]), body)


@dataclass(frozen=True)
class Scene:
    """One question of a client in the middle of an attack."""

    attack: Attack
    repository: Repository
    role: str
    other: str

    def past(self, role: str, back: int) -> bytes | None:
        """The role's file ``back`` publications ago."""
        history = self.repository.history
        return history[max(0, len(history) - 1 - back)].get(role)


def _on_bytes(change: Callable[[Scene, bytes], Body]) -> Callable[[Scene, Body], Body]:
    """Applies to files that are there."""
    return lambda scene, body: change(scene, body) if isinstance(body, bytes) else body


def _freeze(scene: Scene, body: Body) -> Body:
    """Everything as it was ``back`` publications ago; roots too, which asks for no next one."""
    return (None if scene.role == "root" else scene.past(scene.role, scene.attack.back)) or body


def _mix(scene: Scene, body: Body) -> Body:
    """Each role from another publication."""
    back = (len(scene.role) * 7 + scene.attack.amount) % (scene.attack.back + 2)
    return body if scene.role == "root" else scene.past(scene.role, back)


def _pad_to_limit(scene: Scene, body: bytes) -> Body:
    """Just within or just beyond what a client may take of a timestamp."""
    return body + b" " * max(0, TIMESTAMP_LIMIT - len(body) + scene.attack.amount % 3 - 1)


def _envelope(change: Callable[[Scene, dict[str, Any]], None]) -> Callable[[Scene, Body], Body]:
    def changed(scene: Scene, body: bytes) -> Body:
        envelope = json.loads(body)
        change(scene, envelope)
        return json.dumps(envelope).encode()

    return _on_bytes(changed)


def _strip(scene: Scene, envelope: dict[str, Any]) -> None:
    signatures = envelope["signatures"]
    if signatures:
        del signatures[scene.attack.amount % len(signatures)]


def _twice(_scene: Scene, envelope: dict[str, Any]) -> None:
    envelope["signatures"] += envelope["signatures"][:1]


def _reorder(_scene: Scene, envelope: dict[str, Any]) -> None:
    envelope["signatures"].reverse()


def _foreign(scene: Scene, envelope: dict[str, Any]) -> None:
    """A stranger signs too; with an odd number alone."""
    value = copy.deepcopy(scene.repository.value(scene.role))
    stranger = json.loads(scene.repository.signed(scene.role, value, [STRANGER]))["signatures"]
    envelope["signatures"] = stranger + ([] if scene.attack.amount % 2 else envelope["signatures"])


def _renamed(scene: Scene, envelope: dict[str, Any]) -> None:
    """One signature stands under the keyid of another role's key as well."""
    for signer in scene.repository.signers(scene.other)[:1]:
        for item in envelope["signatures"][:1]:
            if signer.keyid not in {one["keyid"] for one in envelope["signatures"]}:
                envelope["signatures"].append({"keyid": signer.keyid, "sig": item["sig"]})


def _corrupt(scene: Scene, envelope: dict[str, Any]) -> None:
    """One digit, all digits in capitals, no digits at all, or an odd number of them."""
    for item in envelope["signatures"][:1]:
        digits = item["sig"]
        flipped = digits[:-1] + f"{int(digits[-1], 16) ^ 1:x}"
        item["sig"] = (flipped, digits.upper(), "", "no hex", digits[:-1])[scene.attack.amount % 5]


def _unsigned_change(scene: Scene, envelope: dict[str, Any]) -> None:
    envelope["signed"]["version"] += scene.attack.amount


def _forge(change: Callable[[Scene, Any], None]) -> Callable[[Scene, Body], Body]:
    """The role's own keys sign something else; for a root that nobody asked for yet, the next one."""

    def forged(scene: Scene, body: Body) -> Body:
        if isinstance(body, str) or (body is None and scene.role != "root"):
            return body
        value = copy.deepcopy(scene.repository.value(scene.role))
        value.version += body is None
        change(scene, value)
        return scene.repository.signed(scene.role, value)

    return forged


def _version(scene: Scene, value: Any) -> None:
    value.version = max(1, value.version + scene.attack.amount - 3)


def _expired(scene: Scene, value: Any) -> None:
    """Expires now, or one second on either side; half of the time in a new version."""
    value.version += scene.attack.amount // 3 % 2
    value.expires = scene.repository.now + timedelta(seconds=scene.attack.amount % 3 - 1)


def _other_meta(scene: Scene, value: Any) -> None:
    """Another version of what the role vouches for, or nothing about it."""
    value.version += scene.attack.amount % 3
    if scene.role == "timestamp":
        value.snapshot_meta.version = max(1, value.snapshot_meta.version + scene.attack.amount - 3)
    elif scene.role == "snapshot" and value.meta:
        _change_one_meta(scene, value)


def _change_one_meta(scene: Scene, value: Any) -> None:
    name = sorted(value.meta)[scene.attack.other % len(value.meta)]
    if scene.attack.amount == 1:
        del value.meta[name]
    else:
        value.meta[name].version = max(1, value.meta[name].version + scene.attack.amount - 3)


_ATTACKS: dict[str, Callable[[Scene, Body], Body]] = {
    "missing": lambda _scene, _body: None,
    "endless": lambda _scene, _body: ENDLESS,
    "truncate": _on_bytes(lambda scene, body: body[: len(body) * scene.attack.amount // 8]),
    "append": _on_bytes(lambda scene, body: body + b"}" * scene.attack.amount),
    "append spaces": _on_bytes(lambda scene, body: body + b" " * scene.attack.amount),
    "pad to the limit": _on_bytes(_pad_to_limit),
    "replay": lambda scene, _body: scene.past(scene.role, scene.attack.back),
    "swap": lambda scene, body: scene.past(scene.other, 0) if body is not None else None,
    "freeze": _freeze,
    "mix": _mix,
    "no bytes": _on_bytes(lambda _scene, _body: b""),
    "byte order mark": _on_bytes(lambda _scene, body: b"\xef\xbb\xbf" + body),
    "strip a signature": _envelope(_strip),
    "a signature twice": _envelope(_twice),
    "reorder signatures": _envelope(_reorder),
    "foreign signature": _envelope(_foreign),
    "renamed signature": _envelope(_renamed),
    "corrupt signature": _envelope(_corrupt),
    "unsigned change": _envelope(_unsigned_change),
    "a member twice": _on_bytes(lambda _scene, body: b'{"signatures":[],' + body[1:]),
    "a fraction": _on_bytes(lambda _scene, body: b'{"x":1.5,' + body[1:]),
    "forge version": _forge(_version),
    "forge expiry": _forge(_expired),
    "forge meta": _forge(_other_meta),
}
NAMES = sorted(_ATTACKS)
