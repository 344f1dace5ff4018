"""enigm-sign operator sign: a policy-approver vouches for a version of the registry of operators."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from enigm_tuf.authorities.cli.document_voting import Document, sign_command
from enigm_tuf.authorities.cli.operator_list import registry_lines
from enigm_tuf.authorities.operators.keeping import voted_operators
from enigm_tuf.authorities.operators.proposing import changes
from enigm_tuf.authorities.voting import Voted
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.operators import read_operators


def _seen(data: bytes, source: str, arguments: argparse.Namespace) -> tuple[Voted, Sequence[str]]:
    registry, voted = voted_operators(data, source)
    old = read_operators(read_input(Path(arguments.operators), LIMITS.inventory_bytes), arguments.operators)
    return voted, [*registry_lines(registry), "", *changes(None if registry.version == 1 else old, registry)]


COMMAND = sign_command(
    name="operator sign",
    document=Document("registry", "the proposal; version 1 is its own --operators"),
    seen=_seen,
    summary="Vouch for a version of the registry of operators, after you have typed the words of its digest.",
    examples=(
        "enigm-sign operator sign next.operators.json --policy release.policy.toml --operators release.operators.json "
        "--operator alice --token piv:serial=12345678 --label 9a --out alice.operators.dsse.json"
    ),
)
