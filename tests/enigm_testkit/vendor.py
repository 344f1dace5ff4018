"""A vendor with a repository, run through ``enigm-repo`` itself; the authorities answer with software keys."""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from enigm_testkit.custodians import (
    SoftKey,
    Voter,
    answer,
    custodian,
    key_record,
    log_settings,
    registry,
    response_file,
    soft_key,
    voter,
)
from enigm_testkit.demands import demands_toml
from enigm_tuf.model.keys import Purpose, write_key_record
from enigm_tuf.model.operators import OperatorRegistry, write_operators
from enigm_tuf.model.request import Authority, SigningRequest, read_request
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.ports import DeviceState, Fetcher
from enigm_tuf.trust.eligibility import DeviceFacts
from enigm_tuf.trust.tuf_rules import TufRule
from enigm_tuf_client.fetch import FileFetcher
from enigm_tuf_client.store import DirectoryStore
from enigm_tuf_client.updater import Updater
from enigm_tuf_repository.cli import Edges, main
from enigm_tuf_repository.records import ReleaseRecord, load_record
from enigm_tuf_repository.workspace import Workspace

_SIGNER = """
import json, sys
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
key = load_pem_private_key(open(sys.argv[1], "rb").read(), None)
print(json.dumps({"keyid": sys.argv[2], "sig": key.sign(sys.stdin.buffer.read(), ECDSA(SHA256())).hex()}))
"""


PAYLOAD = b"payload " * 300_000


@dataclass
class SetClock:
    """A clock that a test sets. Starts at the real time, since ngclient looks at the machine's."""

    time: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def now(self) -> datetime:
        return self.time

    def advance(self, step: timedelta) -> None:
        self.time += step


@dataclass(frozen=True)
class Vendor:
    """The folder of a vendor: configuration and build beside ``repository/``, and everybody's keys."""

    path: Path
    keys: dict[Purpose, list[SoftKey]]
    voters: list[Voter]
    clock: SetClock

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.path / "repository")

    @property
    def published(self) -> Path:
        return self.workspace.published

    def run(self, *arguments: str) -> int:
        """``enigm-repo`` with these arguments in this repository; the exit status.

        After ``init`` it is told who is who."""
        status = main([*arguments, "--repository", str(self.workspace.path)], Edges(self.clock))
        if arguments[0] == "init" and status == 0:
            self.knows_operators()
        return status

    def done(self, *arguments: str) -> None:
        assert self.run(*arguments) == 0, f"enigm-repo {' '.join(arguments)}"

    def opened(self) -> "Vendor":
        """After ``init``: the first root and product ``phone`` are published."""
        self.done("init", "--config", str(self.path / "repository.toml"))
        self.publish("root-1")
        self.done("product", "add", "phone", "--channel", "stable")
        self.publish("product-phone")
        return self

    def knows_operators(self) -> None:
        """The repository is told who the operators of both authorities are."""
        for authority in ("manifest", "release"):
            self.done("operators", "put", str(self.path / f"{authority}.operators.json"))

    def record(self, record_id: str) -> ReleaseRecord:
        return load_record(self.workspace, record_id)

    def request(self, record_id: str, authority: Authority) -> SigningRequest:
        path = self.workspace.record(record_id) / "requests" / f"{authority}.enigmreq"
        return read_request(path.read_bytes(), path.name)

    def votes(self, request: SigningRequest) -> list[bytes]:
        return [person.vote(request) for person in self.voters]

    def signers_of(self, request: SigningRequest) -> list[SoftKey]:
        """Enough custodians for the thresholds of the configuration."""
        if request.index.authority == "manifest":
            return self.keys["manifest"][: 2 if request.index.action == "root" else 1]
        return self.keys["root"][:2] if request.index.action in {"root", "recovery"} else self.keys["payload"]

    def answers(self, record_id: str, *, roles: bool = False) -> list[str]:
        """What both authorities answer, one file per custodian; ``roles`` for those that follow a root."""
        folder = self.workspace.record(record_id)
        paths = [entry.path for entry in self.record(record_id).requests if ("-roles." in entry.path) == roles]
        requests = [read_request((folder / path).read_bytes(), path) for path in paths]
        return [self.answer(request, key) for request in requests for key in self.signers_of(request)]

    def configuration(self, **changes: str | None) -> str:
        """A changed configuration with the keys of today; every key has its record beside it."""
        for purpose, group in self.keys.items():
            for key in group:
                (self.path / f"{key.name}.key.json").write_bytes(write_key_record(key_record(key, purpose)))
        text = repository_toml(self.keys, _signer_of(self.path, self.keys), **changes)
        return self.write("next.toml", text.encode())

    def follow(self, record_id: str) -> None:
        """The roles that follow a signed root, asked for and attached."""
        self.done("root", "follow", record_id)
        self.done("release", "attach", record_id, *self.answers(record_id, roles=True))

    def answer(self, request: SigningRequest, key: SoftKey, envelopes: Sequence[bytes] | None = None) -> str:
        """One custodian's answer, written to a file."""
        counted = self.votes(request) if envelopes is None else envelopes
        response = answer(request, key, counted, self.clock.now())
        return self.write(f"{request.index.request_id}-{key.name}.enigmresp", response_file(response, counted))

    def write(self, name: str, data: bytes) -> str:
        path = self.path / name
        path.write_bytes(data)
        return str(path)

    def up_to(self, record_id: str, *steps: str) -> None:
        """Attach everything, then run ``verify``, ``gate``, ``publish`` as asked."""
        self.done("release", "attach", record_id, *self.answers(record_id))
        for step in steps:
            self.done("release", step, record_id)

    def publish(self, record_id: str) -> None:
        self.up_to(record_id, "verify", "gate", "publish")

    def prepare_release(self, version: str, /, payload: bytes = PAYLOAD, **fields: str) -> str:
        """Write a build and its release.toml, and prepare it; the record's id."""
        self.done("release", "prepare", "--config", str(write_build(self.path, version, payload, **fields)))
        return f"phone-{version}"

    def device_sees(self, published: Path | None = None, fetcher: Fetcher | None = None) -> str | None:
        """The version that a new device is offered, fetched whole; None for no release. Anything else raises.

        From ``fetcher``, or else from the directory ``published``.
        """
        published = published or self.published
        folder = Path(tempfile.mkdtemp(dir=self.path))
        store = DirectoryStore(folder / "store")
        store.commit(DeviceState(metadata={"root": (published / "metadata/1.root.json").read_bytes()}))
        facts = DeviceFacts("staging", "phone", "phone-a", "stable", "device-1")
        updater = Updater(store=store, fetcher=fetcher or FileFetcher(published), facts=facts, clock=self.clock)
        check = updater.check()
        if check.refusal and check.refusal.rule != TufRule.TARGET_MISSING:
            raise check.refusal
        if check.offer is None:
            return None
        return updater.fetch(check.offer, folder / "ota.zip").version

    def copied_to(self, path: Path) -> "Vendor":
        """The same vendor in another folder, with a clock of its own."""
        shutil.copytree(self.path, path)
        keys = {purpose: list(group) for purpose, group in self.keys.items()}
        return Vendor(path, keys, self.voters, SetClock(self.clock.time))


def write_build(path: Path, version: str, /, payload: bytes = PAYLOAD, **fields: str) -> Path:
    """A build below ``path``; its release.toml."""
    folder = path / f"build-{version}"
    folder.mkdir(exist_ok=True)
    (folder / "ota.zip").write_bytes(payload + version.encode())
    (folder / "slsa.json").write_text('{"builder": "test"}')
    (folder / "release.toml").write_text(release_toml(version, **fields))
    return folder / "release.toml"


def make_vendor(path: Path) -> Vendor:
    """Keys, key records, policies and ``repository.toml``: all that ``enigm-repo init`` wants."""
    path.mkdir()
    keys: dict[Purpose, list[SoftKey]] = {
        "root": [soft_key(f"root-{name}") for name in "abc"],
        "payload": [soft_key(f"payload-{name}") for name in "ab"],
        "manifest": [soft_key(f"manifest-{name}") for name in "ab"],
        "timestamp": [soft_key("timestamp")],
    }
    for purpose, group in keys.items():
        for key in group:
            (path / f"{key.name}.key.json").write_bytes(write_key_record(key_record(key, purpose)))
    voters = [voter("alice", "engineering"), voter("bob", "security")]
    authorities: tuple[Authority, ...] = ("manifest", "release")
    for authority in authorities:
        operators = registry(authority, *(person.listed() for person in voters), *map(custodian, _custodians()))
        (path / f"{authority}.operators.json").write_bytes(write_operators(operators))
        (path / f"{authority}.policy.toml").write_text(policy_toml(authority, operators))
    (path / "signer.py").write_text(_SIGNER)
    (path / "repository.toml").write_text(repository_toml(keys, _signer_of(path, keys)))
    return Vendor(path, keys, voters, SetClock())


def _custodians() -> list[str]:
    """Of the keys that there are, and of those that tests put in their place: each has the name of its key."""
    versions = [str(version) for version in range(2, 12)]
    later = [*"abcde", *versions, *(f"{version}-{number}" for version in versions for number in range(3))]
    return [f"{purpose}-{name}" for purpose in ("root", "payload", "manifest") for name in later]


def _signer_of(path: Path, keys: dict[Purpose, list[SoftKey]]) -> list[str]:
    """The command that signs timestamps with the first of the timestamp keys."""
    key = keys["timestamp"][0]
    (path / f"{key.name}.pem").write_bytes(key.pem)
    return [sys.executable, str(path / "signer.py"), str(path / f"{key.name}.pem"), key.keyid]


SETTINGS = {
    "environment": '"staging"',
    "authority_model": '"dual"',
    "requester": '"rob"',
    "request_hours": "72",
    "root_threshold": "2",
    "recovery_threshold": "3",
    "payload_threshold": "2",
    "manifest_threshold": "1",
    "policies": '{manifest = "manifest.policy.toml", release = "release.policy.toml"}',
    "artifacts": '[{product = "phone", kinds = ["file"]}]',
    "expiry_days": "{root = 365, targets = 180, snapshot = 30, manifest = 30, payload = 365, timestamp = 2}",
}
"""Of ``repository.toml``, as TOML: those that name no key."""


def repository_toml(keys: dict[Purpose, list[SoftKey]], signer: list[str], **changes: str | None) -> str:
    """``changes`` replace lines by their TOML; None leaves one out."""
    lines: dict[str, str | None] = {
        **SETTINGS,
        "timestamp_signer": str(signer),
        **{f"{purpose}_keys": str([f"{key.name}.key.json" for key in group]) for purpose, group in keys.items()},
    }
    lines |= changes
    lines.setdefault("audit_logs", log_settings(lines["authority_model"] or ""))
    return "\n".join(f"{name} = {value}" for name, value in lines.items() if value is not None) + "\n"


def policy_toml(authority: Authority, operators: OperatorRegistry) -> str:
    """Two approvals from two partitions for everything."""
    actions = (
        "root",
        "recovery",
        "product",
        "retire",
        "release",
        "roles",
        "rollout",
        "inventory",
        "operators",
        "policy",
        "finding",
    )
    kinds = ("root", "payload") if authority == "release" else ("root", "targets", "snapshot", "manifest")
    quorum = 'approvals = 2\npartitions = ["engineering", "security"]\n'
    thresholds = {"root": 2, "payload": 2, "targets": 1, "snapshot": 1, "manifest": 1}
    return "\n".join(
        [
            f'schema = 1\nversion = 1\nauthority = "{authority}"\nenvironment = "staging"\nrequest_hours = 72',
            f'operators_sha256 = "{sha256(write_operators(operators))}"',
            *(f"[actions.{action}]\n{quorum}" for action in actions),
            *(f"[expiry.{kind}]\nminimum = 1\nmaximum = 400" for kind in kinds),
            "[thresholds]",
            *(f"{kind} = {threshold}" for kind, threshold in thresholds.items()),
            demands_toml(),
        ]
    )


def release_toml(version: str, /, **fields: str) -> str:
    """A release of product ``phone`` on channel ``stable``; ``fields`` replace lines by their TOML."""
    lines = {
        "product": '"phone"',
        "channel": '"stable"',
        "version": f'"{version}"',
        "build_id": f'"BUILD.{version}"',
        "security_patch_level": '"2026-11-05"',
        "rollback_index": version.split(".")[0],
        "hardware_ids": '["phone-a"]',
        "release_notes": '"Better."',
        "minimum_client": '"0.1.0"',
        "mandatory": "false",
        "payloads": '[{file = "ota.zip", type = "full-ota"}]',
        "rollout": '{start = "2026-11-01T00:00:00Z", stages = [{after_hours = 0, percent = 100}], cohorts = [], '
        "halted = false}",
        "provenance": '["slsa.json"]',
    }
    return "\n".join(f"{name} = {value}" for name, value in (lines | fields).items())
