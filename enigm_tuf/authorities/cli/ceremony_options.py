"""What the ceremony commands share: the script, and the commands of enigm-sign that its actions name."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.cli import (
    approve,
    audit_verify,
    authority_trust,
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
    operator_propose,
    operator_sign,
    policy_adopt,
    policy_approve,
    policy_propose,
    request_inspect,
    sign,
    token_init,
    token_list,
    wrapping_destroy,
    wrapping_make,
)
from enigm_tuf.durable import read_input
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.ceremony import Script, read_script

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges
    from enigm_tuf.commandline import Command

ACTIONS: "dict[str, Command[Edges]]" = {
    module.COMMAND.name: module.COMMAND
    for module in (
        token_init,
        token_list,
        key_generate,
        key_enrol,
        key_show,
        key_audit,
        key_destroy,
        wrapping_make,
        wrapping_destroy,
        key_backup,
        key_restore_test,
        key_restore,
        authority_trust,
        operator_propose,
        operator_sign,
        operator_adopt,
        policy_propose,
        policy_approve,
        policy_adopt,
        inventory_propose,
        inventory_sign,
        inventory_adopt,
        request_inspect,
        approve,
        sign,
        audit_verify,
    )
}
"""The very commands: a ceremony has no copy of any of them."""
CONFIGURES = {name: command.configure for name, command in ACTIONS.items()}


def add_script(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("script", metavar="SCRIPT", help="the ceremony script (TOML)")


def load_script(arguments: argparse.Namespace) -> tuple[Script, bytes]:
    """The script and its file's bytes, whose SHA-256 names it; MalformedError."""
    data = read_input(Path(arguments.script), LIMITS.document_bytes)
    return read_script(data, arguments.script), data
