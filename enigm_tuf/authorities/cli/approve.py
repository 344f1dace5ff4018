"""enigm-sign approve: an operator says yes to a request."""

from enigm_tuf.authorities.cli.voting import vote_command

COMMAND = vote_command(
    "APPROVE",
    reason_required=False,
    name="approve",
    summary="Approve a request with your approval key, after you have typed the words of its digest.",
    examples=(
        "enigm-sign approve release.enigmreq --policy release.policy.toml --operators release.operators.json "
        "--operator alice --token piv:serial=12345678 --label 9a --out alice.dsse.json"
    ),
)
