"""The registry of operators that is in force, and how a new version comes into force.

Version 1 comes with the home: the policy names it, and its own policy-approvers vote for it. Each later one is voted
for by the people of the version before.
"""

from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import MerkleLog
from enigm_tuf.authorities.history import history_of
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.kept_documents import OPERATORS
from enigm_tuf.authorities.voting import Electorate, Voted, require_votes
from enigm_tuf.model.operators import OperatorRegistry, read_operators, require_able
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.votes import OPERATORS_MATTER
from enigm_tuf.policy.rules.moment import in_ceremony
from enigm_tuf.ports import Clock
from enigm_tuf.trust.key_class import require_key_class
from enigm_tuf.trust.possession import require_possession


def voted_operators(data: bytes, source: str) -> tuple[OperatorRegistry, Voted]:
    """The document, and what is voted for."""
    registry = read_operators(data, source)
    voted = Voted(OPERATORS_MATTER, data, source, registry.version, registry.authority, registry.environment)
    return registry, voted


def adopt(
    home: Home, log: MerkleLog, data: bytes, source: str, envelopes: tuple[bytes, ...], clock: Clock
) -> OperatorRegistry:
    """Put a version in force: logged first, then written; run again after a crash it goes on.

    RefusedError OPERATORS-QUORUM, OPERATORS-HEAD, KEY-POSSESSION, KEY-CLASS, and after the first CEREMONY-OPEN;
    MalformedError if it could not meet the policy's quorums.
    """
    registry, voted = voted_operators(data, source)
    home.require_own(registry, "registry", source)
    last = OPERATORS.last(log)
    if last is None or last["sha256"] != sha256(data):
        people = require_votes(voted, _electorate_for(home, log, registry), envelopes, clock.now())
        _require_follows(home, registry, data, log)
        if last is not None:
            in_ceremony(home.policy, OPERATORS_MATTER.action, history_of(log.entries()).ceremonies, clock.now())
        body = {"version": registry.version, "sha256": sha256(data), "operators": people}
        require_able(home.policy, registry, source)
        for person in registry.operators:
            for item in person.approval_keys:
                require_key_class(item.record)
                require_possession(item.record)
        log.append(EntryType.OPERATORS_CHANGED, body)
    OPERATORS.keep(home, registry.version, data, envelopes)
    return registry


def in_force(home: Home, log: MerkleLog) -> tuple[OperatorRegistry, str]:
    """The registry that the log names last, and its digest; RefusedError OPERATORS-HEAD if the file is another."""
    data = OPERATORS.in_force(home, OPERATORS.last(log))
    return read_operators(data, str(home.path / "operators")), sha256(data)


def electorate_of(home: Home, log: MerkleLog) -> Electorate:
    """Who votes for this authority's documents now."""
    return Electorate(home.policy, home.policy_pin, in_force(home, log)[0])


def _electorate_for(home: Home, log: MerkleLog, registry: OperatorRegistry) -> Electorate:
    """Those of the version before; of the first, its own."""
    if OPERATORS.last(log) is not None:
        return electorate_of(home, log)
    return Electorate(home.policy, home.policy_pin, registry)


def _require_follows(home: Home, registry: OperatorRegistry, data: bytes, log: MerkleLog) -> None:
    OPERATORS.require_next(registry.version, registry.previous, OPERATORS.last(log))
    named = home.policy.operators_sha256
    first = registry.first or sha256(data)
    if first != named:
        hint = "put the digest of version 1 into the policy: operators_sha256"
        OPERATORS.refuse(
            f"the registry that began with {named}, as the policy says", f"one that began with {first}", hint
        )
