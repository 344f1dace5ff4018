"""enigm-repo store check: is the store fit, and is it ours?"""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import add_repository_option, changing
from enigm_tuf_repository.lineage import Lineage
from enigm_tuf_repository.publishing import require_known
from enigm_tuf_repository.stores.opening import require_remote

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges  # no time, nothing to say before the end
    with changing(arguments) as workspace:
        store = require_remote(workspace)
        with store.session():
            names = store.names("metadata")
        require_known(names, Lineage(workspace.published, []).heads.versions, (), store.url)
    data = {"store": store.url, "metadata_files": len(names)}
    return Outcome(data, [f"{store.url} honours conditions, and holds {len(names):,} metadata files, all of them ours"])


COMMAND: "Command[Edges]" = Command(
    name="store check",
    summary="Prove that the store honours conditional writes, and that its metadata is this repository's alone.",
    details="One request for each thousand metadata files. Writes nothing but the probe object, .probe/conditional.",
    examples="enigm-repo store check\nenigm-repo store check --store gs://updates/phones",
    configure=add_repository_option,
    run=run,
)
