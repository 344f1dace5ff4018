"""Where our verdict differs from python-tuf's on purpose: each cause, told by what it was and not by our word alone.

``reviewed`` names the difference that explains a step; a step that none explains fails the test.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from enigm_testkit.histories.clients import Outcome
from enigm_testkit.histories.keys import BY_KEYID


@dataclass(frozen=True)
class Step:
    """What was served (``name`` of the attack or none), to whom, and what both made of it."""

    attack: str | None
    before: dict[str, bytes]
    served: dict[str, list[bytes]]
    ours: Outcome
    theirs: Outcome


@dataclass(frozen=True)
class Difference:
    """``clause`` makes ours right; ``explains`` is true for that cause alone."""

    clause: str
    explains: Callable[[Step], bool]


def _is_metadata(data: bytes) -> bool:
    """Not broken by the attacker."""
    try:
        return bool(_signed(data))
    except ValueError:
        return False


def _signed(data: bytes) -> dict[str, Any]:
    return dict(json.loads(data)["signed"])


def _more_trust_there(step: Step) -> bool:
    """They went further than we did: they took a file that we refused, and nothing the other way round."""
    refused = (not step.ours.accepted) or "refused" in step.ours.found.values()
    return refused and not (step.ours.accepted and not step.theirs.accepted)


def _one_key_counted_twice(step: Step) -> bool:
    """A role in force, or in a root on the way, names one public key under two keyids, and that is what we refused."""
    taken = [data for datas in step.served.values() for data in datas if _is_metadata(data)]
    twins = any(_names_twins(data) for data in [*step.before.values(), *taken])
    return _more_trust_there(step) and "THRESHOLD-DISTINCT" in step.ours.why and twins


def _names_twins(data: bytes) -> bool:
    return any(_has_twins(role["keyids"]) for role in _definitions(_signed(data)))


def _definitions(signed: dict[str, Any]) -> list[dict[str, Any]]:
    """All that name keys: the roles of a root, the delegations of targets, by name or succinct."""
    if signed["_type"] == "root":
        return list(signed["roles"].values())
    delegations = signed.get("delegations") or {}
    succinct = delegations.get("succinct_roles")
    return [*delegations.get("roles", []), *([succinct] if succinct else [])]


def _has_twins(keyids: list[str]) -> bool:
    keys = [BY_KEYID[keyid].public_key.keyval["public"] for keyid in keyids if keyid in BY_KEYID]
    return len(set(keys)) < len(keys)


def _loose_json(step: Step) -> bool:
    refused = "the same key twice" in step.ours.why or "no fractions" in step.ours.why
    return _more_trust_there(step) and step.attack in {"a member twice", "a fraction"} and refused


def _other_snapshot_of_the_same_version(step: Step) -> bool:
    """Timestamp names a snapshot of the version that is held, with other bytes; they never look at the new one."""
    if "snapshot" not in step.before or "timestamp" not in step.theirs.held:
        return False
    timestamp, snapshot = _signed(step.theirs.held["timestamp"]), _signed(step.before["snapshot"])
    meta = timestamp["meta"]["snapshot.json"]
    same_version = meta["version"] == snapshot["version"]
    return (
        same_version
        and ("hashes" in meta or "length" in meta)
        and step.theirs.held["snapshot"] == step.before["snapshot"]
    )


def _new_freshness_keys(step: Step) -> bool:
    """The root that both hold now gives timestamp or snapshot other keys than the one before."""
    if step.ours.held["root"] != step.theirs.held["root"]:
        return False
    old, new = (_signed(data)["roles"] for data in (step.before["root"], step.ours.held["root"]))
    assert isinstance(old, dict)
    assert isinstance(new, dict)
    return any(set(old[role]["keyids"]) != set(new[role]["keyids"]) for role in ("timestamp", "snapshot"))


DIFFERENCES = {
    "new keys for timestamp or snapshot": Difference(
        "5.3.11: both stored files are deleted then; python-tuf keeps the one that still verifies", _new_freshness_keys
    ),
    "one public key under two keyids counts once": Difference(
        "5.3.4, 5.4.2, 5.5.3, 5.6.3: a threshold of unique keys; python-tuf counts keyids", _one_key_counted_twice
    ),
    "JSON with a member twice, or with fractions": Difference(
        "RFC 8259 section 4: readers disagree on what such a document says; python-tuf takes the last", _loose_json
    ),
    "a second snapshot of the same version": Difference(
        "5.5.2: the snapshot has the hashes in timestamp; python-tuf keeps a stored one of the same version",
        _other_snapshot_of_the_same_version,
    ),
}


def reviewed(step: Step) -> str | None:
    """The name of the difference, None for one that nobody has looked at."""
    return next((name for name, difference in DIFFERENCES.items() if difference.explains(step)), None)
