"""The next registry of operators, from the file that people write. Nothing is in force by that."""

from collections.abc import Callable, Iterator

from enigm_tuf.errors import MisuseError
from enigm_tuf.model.keys import KeyRecord
from enigm_tuf.model.operators import ApprovalKey, ListedOperator, Operator, OperatorList, OperatorRegistry
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.trust.possession import require_possession


def propose(
    listed: OperatorList, before: tuple[OperatorRegistry, bytes] | None, record: Callable[[str], KeyRecord]
) -> OperatorRegistry:
    """``record`` reads a key record by the name in the list. MisuseError if nothing changes or somebody is dropped.

    Nobody is dropped: who leaves has the status ``left``, so that what they approved can be understood for ever.
    RefusedError KEY-POSSESSION for a record that its key did not sign.
    """
    operators = tuple(_operator(person, record) for person in listed.operators)
    if before is None:
        return OperatorRegistry(1, listed.authority, listed.environment, None, None, operators)
    old, data = before
    if (old.authority, old.environment) != (listed.authority, listed.environment):
        raise MisuseError(f"the registry in force is of the {old.authority} authority in {old.environment}")
    if old.operators == operators:
        raise MisuseError("nothing would change")
    if gone := sorted({person.id for person in old.operators} - {person.id for person in operators}):
        raise MisuseError(f"{gone[0]} is not in the list any more", hint='give them status = "left" instead')
    first = old.first or sha256(data)
    return OperatorRegistry(old.version + 1, old.authority, old.environment, sha256(data), first, operators)


def changes(old: OperatorRegistry | None, new: OperatorRegistry) -> Iterator[str]:
    """Each person who is added or changed, in words."""
    before = {person.id: person for person in old.operators} if old else {}
    for person in new.operators:
        if person.id not in before:
            yield f"+ {person.id}: {told(person)}"
        elif before[person.id] != person:
            yield f"~ {person.id}: {told(before[person.id])} -> {told(person)}"


def told(person: Operator) -> str:
    """All that is said of a person, in one line."""
    keys = "; ".join(
        f"key {item.record.spki_sha256} on {item.device}, attestation {item.attestation_sha256[:16]}, "
        f"{item.valid_from.isoformat()} .. {item.valid_until.isoformat()}"
        for item in person.approval_keys
    )
    return f"{person.name}, {person.partition}, {' '.join(person.roles)}, {person.status}, {keys or 'no key'}"


def _operator(person: ListedOperator, record: Callable[[str], KeyRecord]) -> Operator:
    keys = tuple(ApprovalKey(record(key.record), key.valid_from, key.valid_until) for key in person.approval_keys)
    for key in keys:
        require_possession(key.record)
    return Operator(person.id, person.name, person.partition, person.roles, person.status, keys)
