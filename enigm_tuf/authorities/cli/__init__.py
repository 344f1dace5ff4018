"""The command line ``enigm-sign``: what happens inside the trust boundary, one file per command."""

from collections.abc import Sequence

from enigm_tuf.authorities.cli import (
    approve,
    audit_verify,
    authority_init,
    authority_trust,
    ceremony_check,
    ceremony_rehearse,
    ceremony_run,
    ceremony_script,
    ceremony_verify,
    inventory_adopt,
    inventory_propose,
    inventory_sign,
    key_audit,
    key_backup,
    key_destroy,
    key_enrol,
    key_generate,
    key_restore,
    key_restore_test,
    key_show,
    operator_adopt,
    operator_list,
    operator_propose,
    operator_sign,
    policy_check,
    policy_explain,
    reject,
    request_inspect,
    response_again,
    sign,
    timestamp,
    token_init,
    token_list,
    token_unblock,
    wrapping_destroy,
    wrapping_make,
)
from enigm_tuf.authorities.cli.edges import Edges
from enigm_tuf.commandline import Command, run

COMMANDS: tuple[Command[Edges], ...] = (
    token_init.COMMAND,
    token_list.COMMAND,
    token_unblock.COMMAND,
    key_generate.COMMAND,
    key_enrol.COMMAND,
    key_show.COMMAND,
    key_audit.COMMAND,
    key_destroy.COMMAND,
    wrapping_make.COMMAND,
    wrapping_destroy.COMMAND,
    key_backup.COMMAND,
    key_restore_test.COMMAND,
    key_restore.COMMAND,
    authority_init.COMMAND,
    authority_trust.COMMAND,
    operator_propose.COMMAND,
    operator_sign.COMMAND,
    operator_adopt.COMMAND,
    operator_list.COMMAND,
    policy_check.COMMAND,
    policy_explain.COMMAND,
    inventory_propose.COMMAND,
    inventory_sign.COMMAND,
    inventory_adopt.COMMAND,
    request_inspect.COMMAND,
    approve.COMMAND,
    reject.COMMAND,
    sign.COMMAND,
    response_again.COMMAND,
    audit_verify.COMMAND,
    ceremony_check.COMMAND,
    ceremony_script.COMMAND,
    ceremony_rehearse.COMMAND,
    ceremony_run.COMMAND,
    ceremony_verify.COMMAND,
    timestamp.COMMAND,
)


def main(argv: Sequence[str] | None = None, edges: Edges | None = None) -> int:
    """Run one command; returns the exit status (0 done, 2 trouble, 3 refused)."""
    about = "Keys, approvals and signatures of the two authorities. No secret is ever an argument."
    return run("enigm-sign", about, COMMANDS, argv, edges or Edges())
