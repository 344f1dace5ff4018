"""What is fuzzed: every parser of bytes from outside, each with valid documents to start from.

A target takes any bytes. It may raise EnigmTufError and nothing else.
"""

import json
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enigm_testkit import copy_documents
from enigm_testkit.authorities import NOW, extension_of
from enigm_testkit.custodians import SoftKey, key_record
from enigm_testkit.requests import operators_of
from enigm_testkit.samples import sample
from enigm_testkit.scenes import manifest, ota, release
from enigm_tuf.audit.checkpoints import Checkpoint, read_checkpoint_text
from enigm_tuf.audit.log import AuditEntry, EntryType, read_entry, write_entry
from enigm_tuf.audit.notes import Note, NoteSigner, read_note
from enigm_tuf.audit.proofs import InclusionProof, read_proof
from enigm_tuf.audit.tree import leaf_hash, node_hash
from enigm_tuf.authorities.kept_history import HISTORY, read_memory, write_memory
from enigm_tuf.authorities.tokens.uri import TokenEdges, open_token
from enigm_tuf.model.backup import read_backup, write_backup
from enigm_tuf.model.finding import FINDING, read_finding
from enigm_tuf.model.http_signature import HttpRequest
from enigm_tuf.model.inventory import read_inventory, write_inventory
from enigm_tuf.model.keys import read_key_record, write_key_record
from enigm_tuf.model.manifest import read_manifest, write_manifest
from enigm_tuf.model.operators import read_operators, write_operators
from enigm_tuf.model.payload import read_payload_record
from enigm_tuf.model.plain_snapshot import read_plain_snapshot
from enigm_tuf.model.plain_targets import read_plain
from enigm_tuf.model.policy import read_policy
from enigm_tuf.model.request import read_response
from enigm_tuf.model.root_extension import FIELD, read_root_extension
from enigm_tuf.model.strict_json import canonical, encode, parse, parse_canonical
from enigm_tuf.model.tuf import Snapshot, Targets
from enigm_tuf.model.wrapping import read_wrapping_key, write_wrapping_key
from enigm_tuf.ports import DeviceState
from enigm_tuf.trust import signable
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.metadata import (
    TrustedMetadata,
    admit_root,
    admit_snapshot,
    admit_targets,
    admit_timestamp,
    trust_root,
)
from enigm_tuf.trust.request_signature import verify_request
from enigm_tuf.trust.verified import read_document
from enigm_tuf_client.device import parse_configuration
from enigm_tuf_client.store import DirectoryStore
from fuzz import ceremonies, seeds, signing
from fuzz.artifacts import ARTIFACTS
from fuzz.evidence import EVIDENCE
from fuzz.mutators import Mutator, bundle_mutator, json_mutator, log_mutator, text_mutator, toml_mutator

SOURCE = "fuzz"
LATER = timedelta(hours=1)


@dataclass(frozen=True)
class Target:
    """One parser. ``seeds`` are made at run time; ``mutator`` keeps their structure."""

    run: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    mutator: Mutator = json_mutator


@cache
def folder() -> Path:
    """For parsers that read a file; goes with the process that made it."""
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


@cache
def trusted(last: str) -> TrustedMetadata:
    """The state after the file ``last`` of the valid repository was admitted."""
    if last == "root":
        return trust_root(seeds.file_of("root"), NOW, AuthorityAdmission("staging"))
    if last == "timestamp":
        return admit_timestamp(trusted("root"), seeds.file_of(last))
    if last == "snapshot":
        return admit_snapshot(trusted("timestamp"), seeds.file_of(last))
    return admit_targets(trusted("snapshot"), ("targets",), seeds.file_of(last))


def metadata_target(role: str, admit: Callable[[bytes], object]) -> Target:
    """Signs what the fuzzer left unsigned, so that it gets behind the threshold."""

    def run(data: bytes) -> object:
        return admit(seeds.signed_again(data, seeds.metadata()[role][1]))

    return Target(run, lambda: [seeds.file_of(role), seeds.unsigned(seeds.file_of(role))])


def run_payload_record(data: bytes) -> object:
    return read_payload_record(parse(data, source=SOURCE), SOURCE, "custom")


def run_history(data: bytes) -> None:
    """What is read must be written as the very same bytes, or ``audit verify`` would not find it true."""
    memory = read_memory(data, SOURCE)
    assert read_memory(write_memory(memory), SOURCE) == memory


def payload_record_seeds() -> list[bytes]:
    records = (ota("1.0"), ota("1.1", type="delta-ota", source_build="BUILD.1.0"))
    return [encode(record.unrecognized_fields["custom"]) for record in records]


def run_root_extension(data: bytes) -> object:
    return read_root_extension(parse(data, source=SOURCE), SOURCE)


def soft() -> SoftKey:
    return SoftKey("soft", seeds.signer("soft")._private_key)  # type: ignore[arg-type]


def policy_seeds() -> list[bytes]:
    return [make().policy.encode() for make in signing.SCENES]


DEVICE = b"""environment = "staging"
product = "phone"
hardware_id = "phone-a"
channel = "stable"
device_id = "device-1"
cohorts = ["early", "staff"]
url = "https://updates.example/enigm"
"""


def run_state(data: bytes) -> object:
    (folder() / "state.json").write_bytes(data)
    return DirectoryStore(folder()).load()


def state_seeds() -> list[bytes]:
    metadata = {"root": seeds.file_of("root"), "timestamp": seeds.file_of("timestamp")}
    DirectoryStore(folder()).commit(DeviceState(metadata, NOW, {"phone": 7}, {"phone": ("1.0", "BUILD.1.0")}))
    return [(folder() / "state.json").read_bytes()]


def run_token_uri(data: bytes) -> object:
    """As an argument comes in: what is not UTF-8 as surrogates."""
    return open_token(
        data.decode("utf-8", "surrogateescape"), TokenEdges(lambda _: "", lambda _text, _seconds: nullcontext())
    )


def token_uri_seeds() -> list[bytes]:
    return [
        b"pkcs11:token=rel-a;serial=12%2f3?module-path=/usr/lib/softhsm/libsofthsm2.so",
        b"piv:serial=12345678",
        b"development:dev.json",
    ]


def run_audit_log(data: bytes) -> object:
    return [read_entry(line, number, "log") for number, line in enumerate(data.split(b"\n")[:-1], 1)]


def run_audit_proof(data: bytes) -> object:
    proof = read_proof(data, "proof")
    return proof, read_checkpoint_text(read_note(proof.checkpoint, "note").text, "checkpoint")


def audit_proof_seeds() -> list[bytes]:
    signer = NoteSigner("example.com/log", Ed25519PrivateKey.from_private_bytes(b"7" * 32))
    text = Checkpoint(signer.name, 2, node_hash(leaf_hash(b"{}"), leaf_hash(b"[]"))).text
    note = Note(text, (signer.sign(text), signer.cosign(text, NOW)))
    return [InclusionProof(b"{}", 0, (leaf_hash(b"[]"),), note.data).data]


def audit_log_seeds() -> list[bytes]:
    bodies: dict[EntryType, dict[str, object]] = {
        EntryType.AUTHORITY_CREATED: {
            "authority": "release",
            "environment": "staging",
            "policy_version": 1,
            "policy_sha256": "a" * 64,
        },
        EntryType.ROOT_TRUSTED: {"version": 1, "sha256": "b" * 64},
        EntryType.SIGN_REFUSED: {"request_sha256": "c" * 64, "request_id": "REQ-7", "rule": "R", "reason": "why"},
        EntryType.SESSION_CLOSE: {"key": "d" * 64},
    }
    entries = (AuditEntry(number, NOW, kind, body) for number, (kind, body) in enumerate(bodies.items(), 1))
    return [b"".join(write_entry(entry) + b"\n" for entry in entries)]


def run_plain_targets(data: bytes) -> object:
    """What is read as text must say what the strict parser says."""
    found, document = read_plain(data, SOURCE), read_document(data, Targets, SOURCE, len(data))
    if found and (dict(found[1].targets), found[1].canonical()) != (dict(document.value.targets), document.canonical):
        raise AssertionError("read as text, it says something else")
    return found


def plain_targets_seeds() -> list[bytes]:
    hashes = {"sha256": "a" * 64, "sha512": "b" * 128}
    targets = {f"a/{number}.zip": {"hashes": hashes, "length": number} for number in range(3)}
    body = json.loads(seeds.file_of("targets"))["signed"] | {"targets": targets}
    return [encode({"signatures": [], "signed": body})]


def run_plain_snapshot(data: bytes) -> object:
    """What is read as text must say what the strict parser says."""
    found, document = read_plain_snapshot(data, SOURCE), read_document(data, Snapshot, SOURCE, len(data))
    if found and (dict(found[1].meta), found[1].canonical()) != (dict(document.value.meta), document.canonical):
        raise AssertionError("read as text, it says something else")
    return found


def plain_snapshot_seeds() -> list[bytes]:
    body = json.loads(seeds.file_of("snapshot"))["signed"]
    return [encode({"signatures": [], "signed": body | {"meta": {f"{name}.json": {"version": 7} for name in "abc"}}})]


def run_signed_request(data: bytes) -> object:
    """The two fields of a device's signature, one a line."""
    stated, _, signature = data.decode("latin-1").partition("\n")
    fields = {"signature-input": stated, "signature": signature}
    keys = {"device-1": seeds.spki("device")}
    return verify_request(HttpRequest("GET", "a", "/b", fields), keys, NOW, LATER)


def signed_request_seeds() -> list[bytes]:
    return [b"\n".join(value.encode() for value in seeds.signed_request(HttpRequest("GET", "a", "/b", {})).values())]


def json_seeds() -> list[bytes]:
    return [seeds.file_of("root"), b'{"a":[1,-2,"\\u00e9\\"",{"b":null,"c":true}]}']


TARGETS: dict[str, Target] = {
    "strict-json": Target(lambda data: parse(data, source=SOURCE), json_seeds),
    "canonical-json": Target(
        lambda data: parse_canonical(data, source=SOURCE),
        lambda: [canonical(json.loads(seeds.file_of("root"))["signed"]), b'{"a":[1]}'],
    ),
    "root": metadata_target("root", lambda data: trust_root(data, NOW, AuthorityAdmission("staging"))),
    "next-root": metadata_target("next-root", lambda data: admit_root(trusted("root"), data)),
    "timestamp": metadata_target("timestamp", lambda data: admit_timestamp(trusted("root"), data)),
    "snapshot": metadata_target("snapshot", lambda data: admit_snapshot(trusted("timestamp"), data)),
    "targets": metadata_target("targets", lambda data: admit_targets(trusted("snapshot"), ("targets",), data)),
    "plain-targets": Target(run_plain_targets, plain_targets_seeds),
    "plain-snapshot": Target(run_plain_snapshot, plain_snapshot_seeds),
    "payload-role": metadata_target(
        "phone.payload", lambda data: admit_targets(trusted("targets"), ("targets", "phone.payload"), data)
    ),
    "timestamp-to-sign": Target(
        lambda data: signable.freshness(data),
        lambda: [canonical(json.loads(seeds.file_of("timestamp"))["signed"])],
    ),
    "root-extension": Target(run_root_extension, lambda: [encode({FIELD: extension_of(seeds.cast())})]),
    "ota-manifest": Target(
        lambda data: read_manifest(data, SOURCE), lambda: [write_manifest(manifest(release("1.1"), release("1.0")))]
    ),
    "payload-record": Target(run_payload_record, payload_record_seeds),
    "key-record": Target(
        lambda data: read_key_record(data, SOURCE), lambda: [write_key_record(key_record(soft(), "root"))]
    ),
    "operators": Target(lambda data: read_operators(data, SOURCE), lambda: [write_operators(operators_of("release"))]),
    "inventory": Target(
        lambda data: read_inventory(data, SOURCE), lambda: [write_inventory(copy_documents.inventory(soft()))]
    ),
    "backup": Target(lambda data: read_backup(data, SOURCE), lambda: [write_backup(copy_documents.BACKUP)]),
    "wrapping-key": Target(
        lambda data: read_wrapping_key(data, SOURCE), lambda: [write_wrapping_key(copy_documents.WRAPPING)]
    ),
    "finding": Target(lambda data: read_finding(data, SOURCE), lambda: [encode(sample(FINDING))]),
    "history": Target(run_history, lambda: [encode(sample(HISTORY))]),
    "request": Target(signing.run_request, signing.request_seeds, bundle_mutator),
    "response": Target(lambda data: read_response(data, SOURCE), signing.response_seeds, bundle_mutator),
    "approval": Target(signing.run_approval, signing.approval_seeds, signing.approval_mutator),
    "policy": Target(lambda data: read_policy(data, SOURCE), policy_seeds, toml_mutator),
    "ceremony-script": Target(ceremonies.run_script, ceremonies.script_seeds, toml_mutator),
    "ceremony-transcript": Target(ceremonies.run_transcript, ceremonies.transcript_seeds),
    "device-toml": Target(lambda data: parse_configuration(data, SOURCE), lambda: [DEVICE], toml_mutator),
    "signed-request": Target(run_signed_request, signed_request_seeds, text_mutator),
    "device-state": Target(run_state, state_seeds),
    "token-uri": Target(run_token_uri, token_uri_seeds, text_mutator),
    "audit-log": Target(run_audit_log, audit_log_seeds, log_mutator),
    "audit-proof": Target(run_audit_proof, audit_proof_seeds, text_mutator),
    **{name: Target(*parts) for name, parts in (ARTIFACTS | EVIDENCE).items()},
}


def run_crashing(data: bytes) -> object:
    """Crashes deep in a valid document: proof that the fuzzer gets there."""
    record = read_manifest(data, SOURCE)
    return [1 // (stage.percent - 99) for item in record.releases for stage in item.rollout.stages]


CRASHING = Target(run_crashing, TARGETS["ota-manifest"].seeds)
