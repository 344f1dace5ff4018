"""Decisions in a tree: nobody signed the file, but every signature in it is one of a role that the tree holds."""

from enigm_tuf.errors import EnigmTufError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.decisions import indexed_role, is_decision, read_decision_index
from enigm_tuf.model.request import RoleSignature, read_response
from enigm_tuf_repository.integrity.heads import metadata_path
from enigm_tuf_repository.integrity.tree import Tree
from enigm_tuf_repository.lineage import read_signed_file


def is_index(tree: Tree, path: str) -> bool:
    """Whether the file at ``path`` lists answers, one of which signs the version that it is named by.

    The answers themselves are judged where they lie.
    """
    named = indexed_role(path)
    if named is None:
        return False
    try:
        index = read_decision_index(tree.fetch(path, LIMITS.document_bytes), path)
        found = {item: tree.fetch(item, LIMITS.request_bytes) for item in index.paths}
        responses = [read_response(data, item)[0] for item, data in found.items()]
        signed = {(made.role, made.version) for response in responses for made in response.signatures}
        return named in signed and all(is_decision(item, data) for item, data in found.items())
    except EnigmTufError:
        return False


def is_answer(tree: Tree, path: str, settled: frozenset[str]) -> bool:
    """Whether the file at ``path`` is an authority's answer about metadata of this tree.

    What is ``settled`` is not compared: it was pruned, or its damage is said already.
    """
    try:
        data = tree.fetch(path, LIMITS.request_bytes)
        response, _ = read_response(data, path)
        if not response.signatures:
            return False
        return is_decision(path, data) and all(_is_there(tree, item, settled) for item in response.signatures)
    except EnigmTufError:
        return False


def _is_there(tree: Tree, made: RoleSignature, settled: frozenset[str]) -> bool:
    """In the version that it was made for, or in none that is left."""
    path = metadata_path(made.role, made.version)
    if path in settled:
        return True
    file = read_signed_file(tree.fetch(path, LIMITS.stated_targets_bytes), made.role, path)
    return file.signatures.get(made.keyid) == made.signature
