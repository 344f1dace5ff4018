"""Decisions in a tree: nobody signed the file, but every signature in it is one of a role that the tree holds."""

from enigm_tuf.errors import EnigmTufError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.decisions import is_decision
from enigm_tuf.model.request import RoleSignature, read_response
from enigm_tuf_repository.integrity.heads import metadata_path
from enigm_tuf_repository.integrity.tree import Tree
from enigm_tuf_repository.lineage import read_signed_file


def is_answer(tree: Tree, path: str, settled: frozenset[str]) -> bool:
    """Whether the file at ``path`` is an authority's answer about metadata of this tree.

    What is ``settled`` is not compared: it was pruned, or its damage is said already.
    """
    try:
        data = tree.fetch(path, LIMITS.request_bytes)
        response, _ = read_response(data, path)
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
