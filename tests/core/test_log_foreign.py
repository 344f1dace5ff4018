"""What others' code says of our checkpoints, cosignatures and proofs: tlog-scales (Python), metamorphic-log (Rust)."""

from datetime import UTC, datetime
from hashlib import sha256

import metamorphic_log
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tlog_scales import signing, tlog

from enigm_tuf.audit.checkpoints import Checkpoint, require_witnesses, verified_checkpoint
from enigm_tuf.audit.notes import Note, NoteSigner
from enigm_tuf.audit.tree import Edge, consistency_proof, inclusion_proof, leaf_hash

SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 300]
LEAVES = [leaf_hash(b"%d" % number) for number in range(300)]
LOG = NoteSigner("example.com/log/staging/release", Ed25519PrivateKey.generate())
WITNESS = NoteSigner("example.com/witness", Ed25519PrivateKey.generate())


def edge_of(leaves: list[bytes]) -> Edge:
    tree = Edge()
    for leaf in leaves:
        tree = tree.add(leaf)
    return tree


def node(level: int, index: int) -> bytes:
    return edge_of(LEAVES[index << level : (index + 1) << level]).root


def note(size: int) -> bytes:
    text = Checkpoint(LOG.name, size, edge_of(LEAVES[:size]).root).text
    return Note(text, (LOG.sign(text), WITNESS.cosign(text, datetime(2026, 11, 26, tzinfo=UTC)))).data


@pytest.mark.parametrize("size", SIZES)
def test_others_verify_our_checkpoint_and_its_cosignature(size: int) -> None:
    read = tlog.Checkpoint.from_text(note(size).decode())
    for key in (LOG.log.text, WITNESS.witness.text):
        read.verify(signing.Vkey.from_string(key))
    head = metamorphic_log.checkpoint_verify(note(size).decode(), [LOG.log.text])
    assert (head.origin, head.size, bytes(head.root)) == (LOG.name, size, read.root_hash)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", [0, 0.5, 1])
def test_others_verify_our_inclusion_proofs(size: int, place: float) -> None:
    index = int((size - 1) * place)
    steps, root = list(inclusion_proof(index, size, node)), edge_of(LEAVES[:size]).root
    tlog.InclusionProof(index, size, steps).check(LEAVES[index], root)
    metamorphic_log.verify_inclusion(index, size, LEAVES[index], steps, root)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("old", SIZES)
def test_others_verify_our_consistency_proofs(old: int, size: int) -> None:
    if old > size:
        return
    steps = list(consistency_proof(old, size, node))
    roots = edge_of(LEAVES[:old]).root, edge_of(LEAVES[:size]).root
    tlog.ConsistencyProof(old, size, steps).check(*roots)
    metamorphic_log.verify_consistency(old, size, steps, *roots)


def test_we_verify_a_checkpoint_that_others_signed() -> None:
    theirs = signing.PlainEd25519Signer(LOG.name, LOG.private)
    signed = tlog.Checkpoint.make_signed(LOG.name, 3, sha256(b"root").digest(), [theirs])
    key: str = theirs.vkey.serialize()  # type: ignore[no-untyped-call] # theirs has no annotation
    assert key == LOG.log.text
    assert verified_checkpoint(signed.serialize().encode(), LOG.log, "theirs").checkpoint.size == 3


def test_both_count_one_witness_on_the_same_note() -> None:
    require_witnesses(verified_checkpoint(note(7), LOG.log, "note"), [WITNESS.witness], 1, "note")
    assert metamorphic_log.verify_signed_note(note(7).decode(), [LOG.log.text]) == 1
