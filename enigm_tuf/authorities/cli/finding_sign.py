"""enigm-sign finding sign: an auditor or policy-approver vouches for a finding."""

import argparse
from collections.abc import Sequence

from enigm_tuf.authorities.cli.document_voting import Document, sign_command
from enigm_tuf.authorities.cli.finding_propose import finding_lines
from enigm_tuf.authorities.recovering import voted_finding
from enigm_tuf.authorities.voting import Voted
from enigm_tuf.limits import LIMITS


def _seen(data: bytes, source: str, arguments: argparse.Namespace) -> tuple[Voted, Sequence[str]]:
    del arguments
    finding, voted = voted_finding(data, source)
    return voted, finding_lines(finding)


COMMAND = sign_command(
    name="finding sign",
    document=Document("finding", "what finding propose wrote", LIMITS.document_bytes),
    seen=_seen,
    summary="Vouch for what was found out after a crash, after you have typed the words of its digest.",
    examples=(
        "enigm-sign finding sign finding.json --policy release.policy.toml --operators release.operators.json "
        "--operator alice --token piv:serial=12345678 --label 9a --out alice.finding.dsse.json"
    ),
    details="Auditors and policy-approvers do, but never the custodian whose signature is in doubt.",
)
