"""Two policies compared: every field that differs, and whether it now asks for more (tighten) or for less (relax).

The direction of each field stands in one closed table. A field that is not in it cannot exist: a test walks the shapes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.policy import POLICY, Policy, Quorum
from enigm_tuf.model.policy_demands import EVERY_PRODUCT, POLICY_ACTION
from enigm_tuf.model.shapes import Optional, Record, Sequence, Table, version_key
from enigm_tuf.model.weekly import Weekly
from enigm_tuf.policy.catalogue import FIELDS, leaves, matches
from enigm_tuf.trust.rules import Rule

Direction: TypeAlias = Literal["tighten", "relax"]
_Stricter: TypeAlias = Callable[[Any, Any], bool]
"""Whether the second value asks for at least as much as the first. What is neither more nor less asks for less."""


def _more(old: Any, new: Any) -> bool:
    return bool(new >= old)


def _less(old: Any, new: Any) -> bool:
    return bool(new <= old)


def _superset(old: Any, new: Any) -> bool:
    return all(item in new for item in old)


def _subset(old: Any, new: Any) -> bool:
    return all(item in old for item in new)


def _freezes_kept(old: Any, new: Any) -> bool:
    """Each lies in one that is there now, for all of its actions."""
    return all(any(_lies_in(one, other) for other in new) for one in old)


def _lies_in(one: Any, other: Any) -> bool:
    """Times in UTC are written so that they compare as texts."""
    if "zone" in one:
        here, there = (Weekly(item["zone"], item["start"], item["end"]) for item in (one, other))
        inside = there.covers(here)
    else:
        inside = other["start"] <= one["start"] and one["end"] <= other["end"]
    return inside and _superset(one["actions"], other["actions"])


def _newer(old: str, new: str) -> bool:
    return version_key(new) >= version_key(old)


def _shorter_if_any(old: int, new: int) -> bool:
    """Hours of which 0 means that none is demanded."""
    return old == 0 or 0 < new <= old


def _never(old: object, new: object) -> bool:
    """Another repository, for example, is neither stricter nor not: it is treated as less."""
    return old == new


CLASSES: dict[str, _Stricter] = {
    "request_hours": _less,
    "actions.*.approvals": _more,
    "actions.*.partitions": _superset,
    "expiry.*.minimum": _more,
    "expiry.*.maximum": _less,
    "thresholds.*": _more,
    "key.piv_firmware": _newer,
    "key.attested": _superset,
    "source.unproved": _subset,
    "source.products.*.repository": _never,
    "source.products.*.refs": _subset,
    "source.products.*.builders": _subset,
    "source.products.*.reviewers": _subset,
    "source.products.*.rebuilds": _more,
    "gate.untested": _subset,
    "gate.products.*.testers": _subset,
    "gate.products.*.maximum_age_hours": _less,
    "time.relax_delay_hours": _more,
    "time.cool_down_hours.*": _more,
    "time.freezes": _freezes_kept,
    "time.weekly_freezes": _freezes_kept,
    "rate.signatures_per_session": _less,
    "rate.signatures_per_day": _less,
    "ceremony.open_hours.*": _shorter_if_any,
    "backup.restore_proof_days": _less,
    "waiver.approvals": _more,
    "waiver.partitions": _superset,
    "waiver.rules": _subset,
}
FIXED = ("schema", "authority", "environment", "operators_sha256")
"""What no later policy of an authority changes; ``version`` goes up by one."""


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """One field. ``before`` or ``after`` is None where the field was not there, or is not any more."""

    path: str
    before: Any
    after: Any
    direction: Direction
    rules: tuple[Rule, ...]


def compare(old: Policy, new: Policy) -> tuple[PolicyChange, ...]:
    """Every field that differs but the version; MisuseError if they are not two policies of one authority."""
    before, after = flat(old), flat(new)
    for path in FIXED:
        if before.get(path) != after.get(path):
            raise MisuseError(f"{path} is {after.get(path)}, was {before.get(path)}: no later policy changes it")
    return tuple(
        PolicyChange(path, before.get(path), after.get(path), _direction(path, before, after), _rules_of(path))
        for path in sorted({*before, *after} - {"version"})
        if before.get(path) != after.get(path)
    )


def flat(policy: Policy) -> dict[str, Any]:
    """The leaves of a policy; the lists of products by product, so that each of their fields is compared."""
    found: dict[str, Any] = {}
    for path, value in leaves(policy).items():
        if path.endswith(".products"):
            for item in value:
                found |= {f"{path}.{item['product']}.{name}": it for name, it in item.items() if name != "product"}
        else:
            found[path] = value
    return found


def patterns(shape: Any = POLICY, path: str = "") -> Iterator[str]:
    """Every field that a policy can have, with ``*`` for the rows of tables and products."""
    if isinstance(shape, Optional):
        yield from patterns(shape.item, path)
    elif isinstance(shape, Record):
        for name, inner in shape.fields.items():
            if name != "product":
                yield from patterns(inner, f"{path}.{name}" if path else name)
    elif isinstance(shape, Table) or (
        isinstance(shape, Sequence) and isinstance(shape.item, Record) and "product" in shape.item.fields
    ):
        yield from patterns(shape.item, f"{path}.*")
    else:
        yield path


def _direction(path: str, before: dict[str, Any], after: dict[str, Any]) -> Direction:
    if path not in before or path not in after:
        return "relax" if _allows_more(path, before, after) else "tighten"
    stricter = next(stricter for pattern, stricter in CLASSES.items() if matches(pattern, path))
    return "tighten" if stricter(before[path], after[path]) else "relax"


def needed_quorum(old: Policy, changes: tuple[PolicyChange, ...]) -> Quorum:
    """Who must agree: the quorum of ``policy``, and for what is relaxed also that of the strictest action it concerns.

    A field of one action concerns that action; every other field concerns all of them.
    """
    asked = [old.actions[POLICY_ACTION]]
    for change in changes:
        if change.direction == "relax":
            table, _, rest = change.path.partition(".")
            action = rest.partition(".")[0]
            one = table == "actions" and action in old.actions
            asked += [old.actions[action]] if one else list(old.actions.values())
            asked += [Quorum(old.waiver.approvals, old.waiver.partitions)] if table == "waiver" and old.waiver else []
    partitions = sorted({name for quorum in asked for name in quorum.partitions})
    return Quorum(max(quorum.approvals for quorum in asked), tuple(partitions))


_EXCEPTIONS = {"source": "source.unproved", "gate": "gate.untested"}


def _allows_more(path: str, before: dict[str, Any], after: dict[str, Any]) -> bool:
    """A row that comes or goes. What a policy does not speak of it refuses, but for thresholds and exceptions."""
    comes = path not in before
    section, _, rest = path.partition(".")
    if section == "thresholds":
        return not comes
    if rest.startswith("products."):
        excepted = (before if comes else after)[_EXCEPTIONS[section]]
        spoken_of = rest.split(".")[1] in excepted or EVERY_PRODUCT in excepted
        return spoken_of != comes
    return comes


def _rules_of(path: str) -> tuple[Rule, ...]:
    return tuple(rule for rule, fields in FIELDS.items() if any(matches(pattern, path) for pattern in fields))
