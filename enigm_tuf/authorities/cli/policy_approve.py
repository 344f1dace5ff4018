"""enigm-sign policy approve: a policy-approver vouches for the next policy."""

import argparse
from collections.abc import Sequence

from enigm_tuf.authorities.cli.document_voting import Document, sign_command
from enigm_tuf.authorities.cli.policy_propose import proposal_lines
from enigm_tuf.authorities.cli.request_options import load_policy
from enigm_tuf.authorities.policy_change import proposed
from enigm_tuf.authorities.voting import Voted
from enigm_tuf.limits import LIMITS


def _seen(data: bytes, source: str, arguments: argparse.Namespace) -> tuple[Voted, Sequence[str]]:
    old = load_policy(arguments)
    both = proposed(old.data, old.source, data, source)
    return both.voted, proposal_lines(both)


COMMAND = sign_command(
    name="policy approve",
    document=Document("new", "the next policy; --policy is the one in force", LIMITS.document_bytes),
    seen=_seen,
    summary="Vouch for the next policy, after you have seen what it changes and typed the words of its digest.",
    examples=(
        "enigm-sign policy approve next.policy.toml --policy release.policy.toml --operators release.operators.json "
        "--operator alice --token piv:serial=12345678 --label 9a --out alice.policy.dsse.json"
    ),
)
