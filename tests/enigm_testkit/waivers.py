"""What policy-approvers sign to let one request pass one rule."""

from datetime import timedelta
from typing import Any

from enigm_testkit.authorities import NOW
from enigm_testkit.custodians import Voter
from enigm_testkit.requests import Ballot
from enigm_tuf.model.approval import Approver, bound_to
from enigm_tuf.model.request import SigningRequest
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.waiver import Waiver
from enigm_tuf.trust import signable

WAIVER_TERMS = """
[waiver]
approvals = 2
partitions = ["engineering", "security"]
rules = ["GATE-TESTS", "TIME-FREEZE"]
"""


def waiver(person: Voter, rule: str = "GATE-TESTS", **changes: Any) -> Ballot:
    """Of the very request that it is cast for, but for ``changes``; for three days round NOW."""

    def cast(request: SigningRequest) -> bytes:
        whole = bound_to(request, request.index.policy) | {
            "rule": rule,
            "reason": "why not",
            "approver": Approver(person.operator, sha256(person.key.spki), person.partition, person.key.name),
            "created": NOW - timedelta(hours=1),
            "expires": NOW + timedelta(hours=71),
        }
        return person.sign(signable.waiver(Waiver(**(whole | changes))))

    return cast
