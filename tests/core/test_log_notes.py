"""Signed notes, checkpoints, cosignatures and proofs: published ones, and one thing wrong at a time."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enigm_tuf.audit.checkpoints import (
    Checkpoint,
    read_checkpoint_text,
    require_consistent,
    require_witnesses,
    sign_checkpoint,
    verified_checkpoint,
    witnesses_of,
)
from enigm_tuf.audit.notes import LOG_KEY, WITNESS_KEY, Note, NoteSigner, read_key, read_note, signed_at
from enigm_tuf.audit.proofs import InclusionProof, read_proof, verified_entry
from enigm_tuf.audit.tree import Edge, consistency_proof, inclusion_proof, leaf_hash
from enigm_tuf.errors import MalformedError, RefusedError

# The example of the package golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# A tree head of Go's checksum database, as it was served, and the key that every Go toolchain pins.
SUMDB_KEY = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
SUMDB = (
    "go.sum database tree\n65209736\n5+uGFjx6xBZG8ip1+wi77v+grwbhhukIrxEUS8PXvRo=\n\n— sum.golang.org "
    "Az3grnbssgK7ubgFX36gVETtNv0U23qxyAhAMai2QUfeGa3nB/akvkMdlUErfcZz7l/R3cVtYspg3dxXABkGZZKdsQ8=\n"
)
NOW = datetime(2026, 11, 26, 9, 0, 0, tzinfo=UTC)
ORIGIN = "example.com/log/staging/release"
LOG = NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(b"L" * 32))
ONE = NoteSigner("example.com/one", Ed25519PrivateKey.from_private_bytes(b"1" * 32))
TWO = NoteSigner("example.com/two", Ed25519PrivateKey.from_private_bytes(b"2" * 32))
ENTRIES = [b'{"entry":%d}' % number for number in range(7)]


def edge_of(entries: list[bytes]) -> Edge:
    tree = Edge()
    for entry in entries:
        tree = tree.add(leaf_hash(entry))
    return tree


def node(level: int, index: int) -> bytes:
    return edge_of(ENTRIES[index << level : (index + 1) << level]).root


def head(size: int = 7) -> Checkpoint:
    return Checkpoint(ORIGIN, size, edge_of(ENTRIES[:size]).root)


def note(size: int = 7, *witnesses: NoteSigner) -> bytes:
    text = head(size).text
    return Note(text, (LOG.sign(text), *(witness.cosign(text, NOW) for witness in witnesses))).data


def proof(index: int = 3) -> InclusionProof:
    return InclusionProof(ENTRIES[index], index, inclusion_proof(index, 7, node), note())


def rule(act: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as caught:
        act()
    return caught.value.rule


@pytest.mark.parametrize(("key", "text"), [(GO_KEY, GO_NOTE), (SUMDB_KEY, SUMDB)])
def test_published_notes_verify_with_their_published_keys(key: str, text: str) -> None:
    read = read_key(key, LOG_KEY, "key")
    assert read.text == key
    found = read_note(text.encode(), "note")
    assert signed_at(found, read, "note") is not None
    assert found.data == text.encode()
    changed = text.replace("If", "Of").replace("65209736", "65209737")
    with pytest.raises(MalformedError, match="does not verify"):
        signed_at(read_note(changed.encode(), "note"), read, "note")


def test_a_tree_head_of_the_checksum_database_reads_as_a_checkpoint() -> None:
    checkpoint = read_checkpoint_text(read_note(SUMDB.encode(), "note").text, "note")
    assert (checkpoint.origin, checkpoint.size) == ("go.sum database tree", 65_209_736)


@pytest.mark.rule("LOG-CHECKPOINT", "accept")
def test_a_checkpoint_of_the_log_is_believed() -> None:
    assert verified_checkpoint(note(), LOG.log, "file").checkpoint == head()
    assert sign_checkpoint(head(), LOG).note.data == note()


@pytest.mark.rule("LOG-CHECKPOINT", "reject")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(head().text.replace("staging", "production"), id="another origin"),
        pytest.param(None, id="nobody of that name"),
    ],
)
def test_a_checkpoint_of_another_log_is_not(text: str | None) -> None:
    signer = LOG if text else NoteSigner(ORIGIN, ONE.private)
    text = text or head().text
    data = Note(text, (signer.sign(text),)).data
    assert rule(lambda: verified_checkpoint(data, LOG.log, "file")) == "LOG-CHECKPOINT"


def test_one_bit_of_a_signature_makes_the_note_worthless() -> None:
    signature = LOG.sign(head().text)
    spoilt = replace(signature, data=signature.data[:-1] + bytes([signature.data[-1] ^ 1]))
    with pytest.raises(MalformedError, match="does not verify"):
        verified_checkpoint(Note(head().text, (spoilt,)).data, LOG.log, "file")


def test_signatures_of_strangers_are_left_alone() -> None:
    assert verified_checkpoint(note(7, ONE), LOG.log, "file").checkpoint == head()
    assert witnesses_of(verified_checkpoint(note(7, ONE), LOG.log, "file"), [TWO.witness], "file") == ()


def test_the_logs_own_signature_is_no_cosignature() -> None:
    """The same key in its other use: what it signs as a log says nothing as a witness."""
    signed = verified_checkpoint(note(), LOG.log, "file")
    assert witnesses_of(signed, [LOG.witness], "file") == ()
    line = LOG.sign(head().text)
    forged = Note(head().text, (LOG.sign(head().text), replace(line, id=LOG.witness.id, data=bytes(8) + line.data)))
    with pytest.raises(MalformedError, match="does not verify"):
        witnesses_of(verified_checkpoint(forged.data, LOG.log, "file"), [LOG.witness], "file")


@pytest.mark.rule("LOG-WITNESS", "accept")
def test_witnesses_count_with_the_time_that_they_say() -> None:
    signed = verified_checkpoint(note(7, ONE, TWO), LOG.log, "file")
    require_witnesses(signed, [ONE.witness, TWO.witness], 2, "file")
    assert {item.time for item in witnesses_of(signed, [ONE.witness], "file")} == {NOW}


@pytest.mark.rule("LOG-WITNESS", "reject")
def test_one_witness_of_two_is_too_few_also_under_two_names() -> None:
    signed = verified_checkpoint(note(7, ONE), LOG.log, "file")
    assert rule(lambda: require_witnesses(signed, [ONE.witness, TWO.witness], 2, "file")) == "LOG-WITNESS"
    alias = NoteSigner("example.com/alias", ONE.private)
    twice = verified_checkpoint(note(7, ONE, alias), LOG.log, "file")
    assert rule(lambda: require_witnesses(twice, [ONE.witness, alias.witness], 2, "file")) == "LOG-WITNESS"


def test_a_cosignature_is_for_its_second_alone() -> None:
    line = ONE.cosign(head().text, NOW)
    later = replace(line, data=ONE.cosign(head().text, NOW + timedelta(seconds=1)).data[:8] + line.data[8:])
    with pytest.raises(MalformedError, match="does not verify"):
        signed_at(Note(head().text, (later,)), ONE.witness, "file")


@pytest.mark.rule("LOG-CONSISTENT", "accept")
@pytest.mark.parametrize("old", range(1, 8))
def test_a_log_that_grew_is_consistent(old: int) -> None:
    require_consistent(head(old), head(), consistency_proof(old, 7, node), "file")


@pytest.mark.rule("LOG-CONSISTENT", "reject")
@pytest.mark.parametrize(
    "old",
    [
        pytest.param(Checkpoint(ORIGIN, 4, edge_of([*ENTRIES[:3], b"edited"]).root), id="edited"),
        pytest.param(Checkpoint(ORIGIN, 8, edge_of([*ENTRIES, b"cut off"]).root), id="truncated"),
        pytest.param(Checkpoint(ORIGIN, 7, edge_of([*ENTRIES[:5], ENTRIES[6], ENTRIES[5]]).root), id="reordered"),
        pytest.param(replace(head(4), origin="example.com/log/staging/manifest"), id="another log"),
    ],
)
def test_a_log_that_was_changed_is_not(old: Checkpoint) -> None:
    steps = consistency_proof(min(old.size, 7), 7, node)
    assert rule(lambda: require_consistent(old, head(), steps, "file")) == "LOG-CONSISTENT"


@pytest.mark.rule("LOG-INCLUSION", "accept")
def test_an_entry_proves_that_it_stands_in_the_log() -> None:
    included = verified_entry(read_proof(proof().data, "file"), LOG.log, "file")
    assert (included.entry, included.index, included.signed.checkpoint.size) == (ENTRIES[3], 3, 7)


@pytest.mark.rule("LOG-INCLUSION", "reject")
@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(replace(proof(), entry=ENTRIES[3] + b" "), id="another entry"),
        pytest.param(replace(proof(), index=2), id="another place"),
        pytest.param(replace(proof(), path=proof().path[:-1]), id="a step less"),
        pytest.param(replace(proof(), checkpoint=note(6)), id="another checkpoint"),
    ],
)
def test_a_proof_with_one_thing_changed_proves_nothing(changed: InclusionProof) -> None:
    assert rule(lambda: verified_entry(read_proof(changed.data, "file"), LOG.log, "file")) == "LOG-INCLUSION"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n\n",
        b"text\n\n\xe2\x80\x94 name AAAAAA==",  # no end of line
        b"text\n\n- name AAAAAAAA\n",  # a hyphen
        b"text\n\n\xe2\x80\x94 na+me AAAAAAAA\n",
        b"text\n\n\xe2\x80\x94 name AAAAAAAB=\n",
        b"text\n\n\xe2\x80\x94 name AAAA\n",  # no room for an id
        b"te\rxt\n\n\xe2\x80\x94 name AAAAAAAA\n",
        b"text\n\n" + b"\xe2\x80\x94 name AAAAAAAA\n" * 33,
        b"\xff\n\n",
        b"x" * 65_537,
    ],
)
def test_what_is_no_note_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_note(data, "file")


@pytest.mark.parametrize(
    "text",
    [
        "o\n1\n" + "A" * 43 + "=\nextension\n",
        "o\n01\n" + "A" * 43 + "=\n",
        "o\n-1\n" + "A" * 43 + "=\n",
        "o\n٣\n" + "A" * 43 + "=\n",
        "o\n1\n" + "A" * 42 + "==\n",
        "o\n1\n" + "A" * 42 + "B=\n",  # another spelling of the same bytes
        "\n1\n" + "A" * 43 + "=\n",
        "o\n1\n",
    ],
)
def test_what_is_no_checkpoint_is_malformed(text: str) -> None:
    with pytest.raises(MalformedError):
        read_checkpoint_text(text, "file")


@pytest.mark.parametrize(
    "data",
    [
        proof().data.replace(b"v1", b"v2"),
        proof().data.replace(b"index 3", b"index 03"),
        proof().data.replace(b"extra ", b"extra=", 1),
        proof().data[:100],
        proof().data.replace(base64.b64encode(proof().path[0]), base64.b64encode(b"short")),
        b"\xff",
        b"x" * 140_000,
    ],
)
def test_what_is_no_proof_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedError):
        verified_entry(read_proof(data, "file"), LOG.log, "file")


@pytest.mark.parametrize(
    "text",
    [
        "",
        LOG.log.text.replace(LOG.log.id.hex(), "00000000"),
        LOG.witness.text,
        LOG.log.text[:-4],
        "+" + LOG.log.text,
        LOG.log.text.replace("example", "exam ple"),
    ],
)
def test_what_is_no_log_key_is_malformed(text: str) -> None:
    with pytest.raises(MalformedError):
        read_key(text, LOG_KEY, "root", "audit_logs[0].public_key")
    assert read_key(LOG.witness.text, WITNESS_KEY, "root").public == LOG.log.public
