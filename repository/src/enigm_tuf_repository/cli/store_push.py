"""enigm-repo store push: a tree that was served from a directory moves to a bucket."""

import argparse
from typing import TYPE_CHECKING

from enigm_tuf.commandline import Command, Outcome
from enigm_tuf.errors import MisuseError
from enigm_tuf_repository.cli.options import add_repository_option, changing
from enigm_tuf_repository.cli.sending import Sending
from enigm_tuf_repository.durable import file_sha256
from enigm_tuf_repository.publishing import put_all, require_no_strangers
from enigm_tuf_repository.stores.opening import require_remote

if TYPE_CHECKING:
    from enigm_tuf_repository.cli import Edges


def run(arguments: argparse.Namespace, edges: "Edges") -> Outcome:
    del edges  # no time, nothing to say before the end
    with changing(arguments, current=False) as workspace:
        store, tree = require_remote(workspace), workspace.published
        files = {str(path.relative_to(tree)): path for path in sorted(tree.rglob("*")) if path.is_file()}
        files = {name: path for name, path in files.items() if not name.startswith(".incoming/")}
        if not files:
            raise MisuseError("nothing is published yet that could be moved")
        require_no_strangers(workspace, {})
        digests = {name: file_sha256(path) for name, path in files.items()}
        with Sending(files.values()) as sent:
            put_all(store, tree, digests, None, "a bucket that holds a tree already is not filled with another", sent)
    return Outcome({"store": store.url, "files": len(files)}, [f"{len(files):,} files are in {store.url}"])


COMMAND: "Command[Edges]" = Command(
    name="store push",
    summary="Copy the whole published tree into an empty store, the timestamp last. Killed half way, run it again.",
    details="For a repository that moves from a directory to a bucket. Nothing is overwritten.",
    examples="enigm-repo store push --store s3://updates/phones",
    configure=add_repository_option,
    run=run,
)
