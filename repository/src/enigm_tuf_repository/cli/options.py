"""The options that several commands share."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from enigm_tuf_repository.locking import exclusive
from enigm_tuf_repository.records import ReleaseRecord
from enigm_tuf_repository.standing import next_command
from enigm_tuf_repository.stores.opening import follow
from enigm_tuf_repository.stores.settings import STORE_URL
from enigm_tuf_repository.workspace import Workspace


def add_directory_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repository", metavar="DIR", default=".", help="the repository's directory (default: here)")


def add_repository_option(parser: argparse.ArgumentParser) -> None:
    add_directory_option(parser)
    meaning = "where the tree is published, in place of `url` in [store]: s3://, gs:// or az://"
    parser.add_argument("--store", metavar="URL", help=meaning)


def add_record_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("record", metavar="RECORD", help="a record, such as root-1, product-phone or phone-2026.11.1")
    add_repository_option(parser)


def workspace_of(arguments: argparse.Namespace) -> Workspace:
    url = getattr(arguments, "store", None)
    return Workspace(Path(arguments.repository), store_url=STORE_URL.read(url, "--store", "") if url else None)


def reading(arguments: argparse.Namespace) -> Workspace:
    """The workspace for a command that only looks, with what is published elsewhere; MisuseError if there is none."""
    workspace = workspace_of(arguments)
    follow(workspace)
    return workspace


@contextmanager
def changing(arguments: argparse.Namespace, *, current: bool = True) -> Iterator[Workspace]:
    """The workspace for a command that changes it: one at a time; ConflictError, MisuseError if there is none.

    ``current``: what is published elsewhere is brought here first, so that nothing rests on an old tree.
    """
    workspace = workspace_of(arguments)
    workspace.configuration()
    with exclusive(workspace.path, "enigm-repo"):
        if current:
            follow(workspace)
        yield workspace


def request_lines(workspace: Workspace, record: ReleaseRecord) -> list[str]:
    """The record and the files to take to the authorities: after a root, those for the roles that follow it."""
    folder = workspace.record(record.id)
    following = [entry for entry in record.requests if "root" not in entry.roles]
    asked = following or record.requests
    return [
        f"record {record.id}",
        *(f"  for the {entry.authority} authority: {folder / entry.path}" for entry in asked),
    ]


def next_lines(workspace: Workspace, record: ReleaseRecord) -> list[str]:
    """What to run next, where there is something."""
    command = next_command(workspace, record)
    return [f"next: {command}"] if command else []


def record_data(workspace: Workspace, record: ReleaseRecord) -> dict[str, Any]:
    """A record for ``--json``."""
    folder = workspace.record(record.id)
    return {
        "record": record.id,
        "requests": {entry.authority: str(folder / entry.path) for entry in record.requests},
        "steps": [str(item.step) for item in record.steps],
        "next": next_command(workspace, record),
    }
