"""enigm-sign explain: who approved a release, what signed it, and where that is logged, from the published tree."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.explaining import Explanation, open_explained_tree
from enigm_tuf.commandline import Command, Outcome, table
from enigm_tuf.durable import read_input
from enigm_tuf.errors import MisuseError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.operators import read_operators
from enigm_tuf.model.request import Authority
from enigm_tuf.model.verification_summary import verification_summary

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges

LIMITS_OF_PROOF = (
    ("signatures", "keys that root names signed these bytes", "that the build is what its source says"),
    ("approvals", "these people's keys said yes to these bytes", "that they looked, or were free to say no"),
    ("policy", "which rules the authority says that it applied", "that the policy asks for enough"),
    (
        "audit log",
        "each signature stands in the log that root pins",
        "that no other log was shown, beyond its witnesses",
    ),
    ("device", "nothing: it verifies again by itself", "verified boot, attestation, eligibility and rollout are apart"),
)
"""Each control, what was proved here, and what it does not prove."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", metavar="RECORD", help="such as phone-1.0 or root-2")
    parser.add_argument("--tree", required=True, metavar="DIR", help="the published tree, or a copy of it")
    parser.add_argument("--root", required=True, metavar="FILE", help="a root that you trust, such as the shipped one")
    parser.add_argument(
        "--operators",
        action="append",
        default=[],
        metavar="FILE",
        help="an authority's registry of operators; without it approvals are not verified",
    )


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges  # nothing here depends on the time, a person or a token
    root = Path(arguments.root)
    tree = open_explained_tree(Path(arguments.tree), read_input(root, LIMITS.root_bytes), str(root))
    found = tree.explain(arguments.release, _registries(arguments.operators))
    limits = ["", *table(("control", "proved", "not proved"), LIMITS_OF_PROOF)]
    lines = [line for explanation in found for line in _lines(explanation)]
    return Outcome({"record": arguments.release, "decisions": [_facts(item) for item in found]}, [*lines, *limits])


def _registries(files: list[str]) -> dict[Authority, bytes]:
    found: dict[Authority, bytes] = {}
    for file in files:
        data = read_input(Path(file), LIMITS.inventory_bytes)
        authority = read_operators(data, file).authority
        if authority in found:
            raise MisuseError(f"--operators {file}: a second registry of the {authority} authority")
        found[authority] = data
    return found


def _lines(item: Explanation) -> list[str]:
    response = item.response
    head = f"{response.authority} authority, {response.environment}: {response.decision} at {response.decided}"
    request = f"  request {response.request_id}, SHA-256 {response.request_sha256}"
    policy = f"  policy version {response.policy.version}, SHA-256 {response.policy.sha256}"
    signed = [
        f"  signed {made.made.role} version {made.made.version}: key {made.key.spki_sha256} of {made.key.custodian}, "
        f"{made.key.home} {made.key.token.manufacturer} {made.key.token.serial}; log entry {made.entry}"
        for made in item.signatures
    ]
    votes = [
        f"  approved by {vote.operator} of {vote.partition}, device {vote.device}, at {vote.approval.created}"
        + (f": {vote.approval.reason}" if vote.approval.reason else "")
        for vote in item.votes
    ]
    waived = [
        f"  {waiver.waiver.rule} waived by {waiver.operator} of {waiver.partition}, device {waiver.device}, until "
        f"{waiver.waiver.expires}: {waiver.waiver.reason}"
        for waiver in item.waivers
    ]
    log = f"  log {item.log}, {response.audit.entries} entries, cosigned by at least {item.witnesses} witnesses"
    rules = [
        f"  says {rule.rule}{'' if rule.passed else ' ' + rule.verdict}: {rule.evidence}" for rule in response.rules
    ]
    return [head, request, policy, *votes, *waived, *(f"  {line}" for line in item.unread), *signed, log, *rules]


def _facts(item: Explanation) -> dict[str, object]:
    return {
        "path": item.path,
        "summary": verification_summary(item.response, item.payloads),
        "approvals": [
            {
                "operator": vote.operator,
                "partition": vote.partition,
                "key": vote.key,
                "device": vote.device,
                "created": str(vote.approval.created),
                "reason": vote.approval.reason,
            }
            for vote in item.votes
        ],
        "waivers": [
            {
                "rule": waiver.waiver.rule,
                "reason": waiver.waiver.reason,
                "expires": str(waiver.waiver.expires),
                "operator": waiver.operator,
                "partition": waiver.partition,
                "key": waiver.key,
                "device": waiver.device,
            }
            for waiver in item.waivers
        ],
        "unverified": list(item.unread),
        "signatures": [
            {
                "role": made.made.role,
                "version": made.made.version,
                "keyid": made.made.keyid,
                "spki_sha256": made.key.spki_sha256,
                "custodian": made.key.custodian,
                "home": made.key.home,
                "token": made.key.token.serial,
                "log_entry": made.entry,
            }
            for made in item.signatures
        ],
        "log": item.log,
    }


COMMAND: "Command[Edges]" = Command(
    name="explain",
    summary="Why a release is what it is: who approved it, what signed it, where that is logged, and what that proves.",
    examples=(
        "enigm-sign explain phone-1.0 --tree published --root 1.root.json\n"
        "enigm-sign explain phone-1.0 --tree published --root 1.root.json --operators release.operators.json --json"
    ),
    configure=configure,
    run=run,
    details="Offline. Lines that begin with `says` are the authority's words, as logged; all others were verified.",
)
