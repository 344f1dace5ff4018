"""enigm-repo root recover: the next root, where the manifest authority cannot consent any more."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf_repository.cli.options import changing
from enigm_tuf_repository.cli.root_options import root_outcome
from enigm_tuf_repository.cli.root_prepare import configure
from enigm_tuf_repository.root_preparing import prepare_root
from enigm_tuf_repository.settings import read_settings
from enigm_tuf_repository.stores.opening import remote_of

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    with changing(arguments) as workspace:
        prepared = prepare_root(
            workspace, read_settings(Path(arguments.config)), edges.now(), remote_of(workspace), recovering=True
        )
        return root_outcome(workspace, prepared)


COMMAND: "Command[Edges]" = Command(
    name="root recover",
    summary="Make a root that replaces a lost manifest authority: by the recovery threshold of root keys.",
    details="An action of its own, with a quorum of its own in the policy. Who can still consent uses root prepare.",
    examples="enigm-repo root recover --config next.toml",
    configure=configure,
    run=run,
)
