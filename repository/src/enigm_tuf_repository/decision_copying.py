"""The decisions of both authorities into a copy, with the metadata that they are about: for ``enigm-sign explain``.

A copy holds what is in force; who let a release out a year ago stands in versions that are not. They are brought oldest
first, each record's index last: killed anywhere, the next run goes on where this one stopped.
"""

from collections.abc import Iterator
from pathlib import Path

from enigm_tuf.errors import NotFoundError, RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.decisions import index_path, is_decision, read_decision_index
from enigm_tuf.model.request import read_response
from enigm_tuf.model.tuf import Root
from enigm_tuf.ports import Fetcher
from enigm_tuf_repository.integrity.damage import Findings
from enigm_tuf_repository.integrity.heads import metadata_path
from enigm_tuf_repository.integrity.history import History
from enigm_tuf_repository.lineage import Lineage, read_signed_file
from enigm_tuf_repository.rules import RepositoryRule
from enigm_tuf_repository.stores.directory import DirectoryStore


def bring_decisions(directory: Path, memory: Path, source: Fetcher) -> int:
    """Every answer of ``source`` that ``directory`` does not have yet; how many records had some.

    ``memory`` is a tree that was verified: its roots, and its heads. Only what was signed by those who might, then, is
    taken: RefusedError STORE-MIRROR, or by the rule of the metadata. A record whose metadata was pruned there, all or
    some of it, is left out: it could not be explained.
    """
    lineage = Lineage(memory, [])
    roots = [read_signed_file(data, "root", "root").value_as(Root) for data in lineage.roots()]
    heads = {"root": len(roots)} | {role: lineage.heads.versions.get(role, 0) for role in ("snapshot", "targets")}
    missing = [path for role in ("root", "snapshot") for path in _missing(directory, role, heads[role])]
    if not missing:
        return 0
    history = History(source, roots, Findings())
    history.top_level("targets", heads["targets"] + 1)
    return sum(_bring(directory, source, history, path) for path in missing)


def _missing(directory: Path, role: str, head: int) -> Iterator[str]:
    """Oldest first: where an index is, everything before it is."""
    version = next((item for item in range(head, 0, -1) if (directory / index_path(role, item)).is_file()), 0)
    yield from (index_path(role, item) for item in range(version + 1, head + 1))


def _bring(directory: Path, source: Fetcher, history: History, path: str) -> bool:
    """One record: metadata, answers, index. False where the source has none of it, or not all of it any more."""
    try:
        data = source.fetch(path, LIMITS.document_bytes)
        index = read_decision_index(data, path)
        files = [file for answer in index.paths for file in _answer(directory, source, history, answer)]
    except NotFoundError:
        return False
    place = DirectoryStore(directory)
    with place.session():
        for name, content in (*files, (path, data)):
            place.keep(name, content)
    return True


def _answer(directory: Path, source: Fetcher, history: History, path: str) -> Iterator[tuple[str, bytes]]:
    """The metadata that an answer is about, as far as it is not here yet, and then the answer."""
    data = source.fetch(path, LIMITS.request_bytes)
    response, _ = read_response(data, path)
    if not is_decision(path, data):
        raise _refusal(path, "a file named by its authority and its SHA-256", "another")
    if not response.signatures:
        raise _refusal(path, "an answer that signs something", "no signature")
    for made in response.signatures:
        name = metadata_path(made.role, made.version)
        if (directory / name).is_file():
            file = read_signed_file((directory / name).read_bytes(), made.role, name)
        else:
            file = history.signed(made.role, made.version)
            yield name, file.data
        if file.signatures.get(made.keyid) != made.signature:
            expected = f"a signature of {made.role} version {made.version}"
            raise _refusal(path, expected, f"one by {made.keyid} that is not in it")
    yield path, data


def _refusal(path: str, expected: str, got: str) -> RefusedError:
    return RefusedError(RepositoryRule.STORE_MIRROR, path, expected=expected, got=got)
