"""enigm-sign key restore: put a payload key on its spare token for good, because its own token is lost."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.authorities.backup.restoring import restore
from enigm_tuf.authorities.cli.key_show import record_facts, record_lines
from enigm_tuf.authorities.cli.restore_options import add_restore, load_backup, spare_of
from enigm_tuf.authorities.confirming import digest_lines, require_words
from enigm_tuf.authorities.home import open_home
from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.durable import require_new, write_new
from enigm_tuf.model.keys import KeyRecord, write_key_record
from enigm_tuf.model.shapes import WORD

if TYPE_CHECKING:
    from enigm_tuf.authorities.cli.edges import Edges


def configure(parser: argparse.ArgumentParser) -> None:
    add_restore(parser)
    parser.add_argument("--label", required=True, help="what the key will be called on the spare token")
    parser.add_argument("--out", required=True, metavar="FILE", help="the key's new record")


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    def confirm(record: KeyRecord) -> None:
        said = [f"key {record.label} of {record.custodian} will be on this token for good"]
        edges.person.notify("\n".join([*said, *digest_lines(record.spki_sha256)]))
        require_words(record.spki_sha256, f"the key {record.label}", edges.person.ask)

    out, backup, label = Path(arguments.out), load_backup(arguments), WORD.read(arguments.label, "--label", "")
    require_new(out)
    home, spare = open_home(Path(arguments.home)), spare_of(arguments, edges)
    record = restore(home, backup, spare, label, confirm, edges.clock)
    write_new(out, write_key_record(record))
    lines = [*record_lines(record), f"written to {out}; it signs when the inventory lists it on this token"]
    return Outcome(record_facts(record), lines)


COMMAND: "Command[Edges]" = Command(
    name="key restore",
    summary="Put a key on its spare token for good, after you have typed its words; then the inventory moves it there.",
    details="For a token that is lost. The custodian stays who root says. Then: inventory propose --record, sign, "
    "adopt; a new spare, a new wrapping key, a new backup.",
    examples=(
        "enigm-sign key restore payload-a.backup.json --home release "
        "--token 'pkcs11:token=spare?module-path=/usr/lib/softhsm/libsofthsm2.so' --witness grace --label payload "
        "--out payload-a2.key.json"
    ),
    configure=configure,
    run=run,
)
