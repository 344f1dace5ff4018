"""enigm-sign reject: an operator says no to a request."""

from enigm_tuf.authorities.cli.voting import vote_command

COMMAND = vote_command(
    "REJECT",
    reason_required=True,
    name="reject",
    summary="Reject a request: any valid rejection stops it, whatever others approve.",
    examples=(
        "enigm-sign reject release.enigmreq --policy release.policy.toml --operators release.operators.json "
        "--operator alice --token piv:serial=12345678 --label 9a --reason 'wrong rollback index' --out alice.dsse.json"
    ),
)
