"""A vendor with both authorities, run through ``enigm-sign`` and ``enigm-repo`` themselves.

On real SoftHSM tokens; any of them may be a virtual PIV card instead.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pkcs11

from enigm_testkit.attestation_ca import AttestationCa
from enigm_testkit.demands import demands_toml
from enigm_testkit.people import Answers, FixedClock
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_connection import InProcessCards
from enigm_testkit.softhsm import MODULE, SO_PIN, SoftHsm
from enigm_testkit.vendor import SETTINGS
from enigm_tuf.audit.merkle import log_signer
from enigm_tuf.authorities.cli import main as enigm_sign
from enigm_tuf.authorities.cli.edges import Edges
from enigm_tuf.model.keys import KeyRecord, read_key_record
from enigm_tuf.model.request import SigningRequest, make_request, read_request
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Root
from enigm_tuf.model.words import last_words
from enigm_tuf.trust.verified import read_document
from enigm_tuf_repository.cli import Edges as RepositoryEdges
from enigm_tuf_repository.cli import main as enigm_repo

PIN = "135790"
MANAGEMENT_KEY = "5a" * 24
KEYS = {
    "root-a": ("root", "carol"),
    "root-b": ("root", "dave"),
    "root-c": ("root", "alice"),  # who approves too: never for the same request
    "payload-a": ("payload", "frank"),
    "payload-b": ("payload", "grace"),
    "manifest-a": ("manifest", "heidi"),
    "manifest-b": ("manifest", "ivan"),
    "timestamp": ("timestamp", "ops"),
    "alice": ("approval", "alice"),
    "bob": ("approval", "bob"),
}
"""Token (its label is the key's too): the purpose of its key, and who keeps it."""
APPROVERS = {"alice": "engineering", "bob": "security"}
VALID = 'valid_from = "2026-01-01T00:00:00Z", valid_until = "2100-01-01T00:00:00Z"'
"""For how long their keys may be used."""
PURPOSES = {"release": ("root", "payload"), "manifest": ("manifest",)}
"""What each authority's keys are for."""


@dataclass(frozen=True)
class Plan:
    """Which keys a house has, as in KEYS. ``spares`` stand in no root yet; ``lines`` go into repository.toml.

    ``approvers`` are operators beside those of APPROVERS, with their partitions; ``amended`` is said to every policy.
    """

    keys: dict[str, tuple[str, str]]
    spares: tuple[str, ...] = ()
    lines: dict[str, str | None] = field(default_factory=dict)
    authorities: tuple[str, ...] = ("manifest", "release")
    approvers: dict[str, str] = field(default_factory=dict)
    amended: Callable[[str], str] = str

    def of(self, *purposes: str) -> list[str]:
        """The tokens in use whose keys are for one of these."""
        return [name for name, key in self.keys.items() if key[0] in purposes and name not in self.spares]


TWO_AUTHORITIES = Plan(KEYS)
_SIGN = "; ".join(
    [
        "import os, pathlib, sys",
        "from enigm_tuf.authorities.cli import main",
        "house = pathlib.Path(os.environ['SOFTHSM2_CONF']).parents[1]",
        "root = house / 'repository' / 'published' / 'metadata' / '1.root.json'",
        "sys.exit(main([*sys.argv[1:], '--root', str(root), '--pin-file', str(house / 'timestamp.pin')]))",
    ]
)


@dataclass
class House:
    """The folder ``path`` holds everything: tokens, key records, policies, homes, ``repository/``."""

    path: Path
    clock: FixedClock
    cards: dict[str, VirtualPivCard] = field(default_factory=dict)
    plan: Plan = TWO_AUTHORITIES

    def uri(self, token: str) -> str:
        if token in self.cards:
            return f"piv:serial={self.cards[token].serial}"
        return f"pkcs11:token={token}?module-path={MODULE}"

    def label(self, token: str) -> str:
        """Approvals are made with slot 9a of a card, metadata is signed with 9c."""
        if token not in self.cards:
            return token
        return "9a" if token in APPROVERS else "9c"

    def home(self, authority: str) -> Path:
        return self.path / f"{authority}.home"

    def key(self, token: str) -> KeyRecord:
        path = self.path / f"{token}.key.json"
        return read_key_record(path.read_bytes(), str(path))

    def edges(self, **answers: str) -> Edges:
        secrets = {"SO_PIN": SO_PIN, "PIN": PIN, "PUK": "97531024", "management_key": MANAGEMENT_KEY}
        return Edges(self.clock, Answers(**(secrets | answers)), InProcessCards(*self.cards.values()))

    def sign(self, *arguments: object, **answers: str) -> int:
        """``enigm-sign`` with these arguments; ``answers`` to what it asks."""
        return enigm_sign([str(argument) for argument in arguments], self.edges(**answers))

    def repo(self, *arguments: object) -> None:
        """``enigm-repo``, which must succeed."""
        command = [*(str(argument) for argument in arguments), "--repository", str(self.path / "repository")]
        assert enigm_repo(command, RepositoryEdges(self.clock)) == 0, f"enigm-repo {' '.join(command)}"

    def request(self, record: str, authority: str = "release") -> Path:
        return self.path / "repository" / "records" / record / "requests" / f"{authority}.enigmreq"

    def vote(self, request: Path, operator: str, verb: str = "approve", **answers: str) -> Path:
        """An approval (or rejection) made with the operator's own token."""
        out = self.ballot(request, operator, verb)
        words = {"last_four_words": last_words(read(request).digest)}
        arguments = [verb, request, *self.voter(request, operator), "--reason", "looked at it", "--out", out]
        assert self.sign(*arguments, **(words | answers)) == 0
        return out

    def voter(self, request: Path, operator: str) -> list[object]:
        """The options of ``approve`` that say who and with what."""
        return self.works_as(operator, read(request).index.authority)

    def votes(self, request: Path) -> list[object]:
        """The options of ``sign`` with the approvals of alice and bob, cast now unless they were before."""
        files = {who: self.ballot(request, who, "approve") for who in APPROVERS}
        for who, file in files.items():
            if not file.exists():
                self.vote(request, who)
        return [part for file in files.values() for part in ("--approval", file)]

    def ballot(self, request: Path, operator: str, verb: str) -> Path:
        """Where an operator's approval or rejection lies."""
        return self.path / f"{operator}-{verb}-{read(request).digest[:8]}.dsse.json"

    def custodian(self, request: Path, token: str, out: Path, votes: list[object]) -> list[object]:
        """The arguments of ``sign`` for one custodian."""
        home = self.home(read(request).index.authority)
        who = ["--token", self.uri(token), "--label", self.label(token)]
        return ["sign", request, "--home", home, *who, *votes, "--out", out]

    def signs(self, request: Path, token: str, votes: list[object], **answers: str) -> int:
        """One custodian signs; the response is written to ``response(request, token)``."""
        words = {"last_four_words": last_words(read(request).digest)}
        return self.sign(*self.custodian(request, token, self.response(request, token), votes), **(words | answers))

    def response(self, request: Path, token: str) -> Path:
        return self.path / f"{token}-{read(request).index.request_id}.enigmresp"

    def signed_by(self, request: Path, *tokens: str, consents: Sequence[Path] = ()) -> list[Path]:
        """Approved by alice and bob, signed by these custodians; their responses."""
        votes = [*self.votes(request), *(part for path in consents for part in ("--consent", path))]
        for token in tokens:
            assert self.signs(request, token, votes) == 0
        return [self.response(request, token) for token in tokens]

    def with_root(self) -> "House":
        """The first root is made by carol and dave, published, and trusted by both authorities."""
        self.publish("root-1", *self.signed_by(self.request("root-1"), "root-a", "root-b"))
        for authority in ("manifest", "release"):
            assert self.trust(authority, self.first_root) == 0
        return self

    def take_stock(self, authority: str, *tokens: str, **changes: str) -> Path:
        """A new inventory with the records of these tokens' keys, signed by alice and bob, and adopted."""
        number = len(list(self.path.glob(f"{authority}.inventory.*.json"))) + 1
        proposal = self.path / f"{authority}.inventory.{number}.json"
        options: list[object] = [part for token in tokens for part in ("--record", self.path / f"{token}.key.json")]
        options += [part for name, digest in changes.items() for part in (f"--{name}", digest)]
        assert self.sign("inventory", "propose", "--home", self.home(authority), *options, "--out", proposal) == 0
        self.adopt_inventory(authority, proposal)
        return proposal

    def adopt_inventory(self, authority: str, proposal: Path) -> None:
        """Signed by alice and bob."""
        votes = [self.inventory_vote(proposal, authority, who) for who in APPROVERS]
        ballots = [part for vote in votes for part in ("--vote", vote)]
        assert self.sign("inventory", "adopt", proposal, "--home", self.home(authority), *ballots) == 0

    def inventory_vote(self, proposal: Path, authority: str, operator: str) -> Path:
        """The operator's vote for an inventory."""
        return self._document_vote("inventory", proposal, authority, operator)

    def operators_vote(self, proposal: Path, authority: str, operator: str) -> Path:
        """The operator's vote for a registry of operators, cast now unless it was before."""
        out = proposal.with_name(f"{operator}-{proposal.stem}.dsse.json")
        return out if out.exists() else self._document_vote("operator", proposal, authority, operator)

    def _document_vote(self, verb: str, proposal: Path, authority: str, operator: str) -> Path:
        out = proposal.with_name(f"{operator}-{proposal.stem}.dsse.json")
        words = last_words(sha256(proposal.read_bytes()))
        arguments = [verb, "sign", proposal, *self.works_as(operator, authority), "--out", out]
        assert self.sign(*arguments, last_four_words=words) == 0
        return out

    def works_as(self, operator: str, authority: str) -> list[object]:
        """The options that say who an operator is, under what, and with what."""
        policy, registry = self.path / f"{authority}.policy.toml", self.path / f"{authority}.operators.json"
        who = ["--operator", operator, "--token", self.uri(operator), "--label", self.label(operator)]
        return ["--policy", policy, "--operators", registry, *who]

    def publish(self, record: str, *responses: Path) -> None:
        self.repo("release", "attach", record, *responses)
        for step in ("verify", "gate", "publish"):
            self.repo("release", step, record)

    def trust(self, authority: str, root: Path, **answers: str) -> int:
        document = read_document(root.read_bytes(), Root, "root", 1_000_000)
        words = {"last_four_words": last_words(sha256(document.canonical))}
        return self.sign("authority", "trust", "--home", self.home(authority), "--root", root, **(words | answers))

    @property
    def first_root(self) -> Path:
        return self.path / "repository" / "published" / "metadata" / "1.root.json"


def read(request: Path) -> SigningRequest:
    return read_request(request.read_bytes(), request.name)


def remake(
    request: Path,
    out: Path,
    members: dict[str, bytes] | None = None,
    without: tuple[str, ...] = (),
    **index: Any,
) -> Path:
    """The same request with other members or other fields of its index, whole and well formed."""
    old = read(request)
    kept = {path: data for path, data in old.members.items() if path not in without}
    out.write_bytes(make_request(replace(old.index, **index), kept | (members or {})))
    return out


def build_house(
    path: Path,
    *cards: str,
    ready: dict[str, tuple[VirtualPivCard, bytes]] | None = None,
    plan: Plan = TWO_AUTHORITIES,
    copied: tuple[str, ...] = (),
) -> House:
    """Tokens, enrolled keys, policies, both homes, and a repository with the request for its first root.

    The tokens named in ``cards`` are PIV cards; those in ``ready`` too, and they come with their key record. Keys of
    the tokens in ``copied`` may have wrapped copies, whose restore the release policy wants proved every 90 days.
    """
    ready = ready or {}
    path.mkdir()
    maker = AttestationCa()
    (path / "maker.pem").write_bytes(maker.root_pem)
    made = {token: VirtualPivCard(serial, attestation_ca=maker) for serial, token in enumerate(cards, 7_000_001)}
    made |= {token: card for token, (card, _) in ready.items()}
    house = House(path, FixedClock(datetime.now(UTC).replace(microsecond=0)), made, plan)
    hsm = SoftHsm(path / "softhsm")
    for token, (purpose, custodian) in plan.keys.items():
        if token in ready:
            (path / f"{token}.key.json").write_bytes(ready[token][1])
            continue
        if token in cards:
            assert house.sign("token", "init", "--token", house.uri(token)) == 0
        else:
            hsm.token(token, PIN)
        who = ["--token", house.uri(token), "--label", house.label(token)]
        who += ["--class", "wrapped-backup"] if token in copied else []
        assert house.sign("key", "generate", *who) == 0
        enrolment = ["--purpose", purpose, "--environment", "staging", "--custodian", custodian]
        vouched = ["--attestation-root", path / "maker.pem"] if token in cards else []
        assert house.sign("key", "enrol", *who, *enrolment, *vouched, "--out", path / f"{token}.key.json") == 0
    for authority in plan.authorities:
        backup = "\n[backup]\nrestore_proof_days = 90\n" if copied and authority == "release" else ""
        found_authority(house, authority, backup)
    pin = path / "timestamp.pin"
    pin.write_text(PIN)
    pin.chmod(0o600)
    (path / "repository.toml").write_text(repository_toml(house))
    house.repo("init", "--config", path / "repository.toml")
    for authority in plan.authorities:
        house.repo("operators", "put", path / f"{authority}.operators.json")
    return house


def found_authority(house: House, authority: str, more: str = "") -> None:
    """Its operators, its policy with ``more`` of it, its home, and the inventory of its keys in use."""
    found_operators(house, authority)
    (house.path / f"{authority}.policy.toml").write_text(house.plan.amended(policy_toml(house, authority) + more))
    assert house.sign("authority", "init", *init_options(house, authority)) == 0
    if (house.path / "repository").exists():
        house.repo("operators", "put", house.path / f"{authority}.operators.json")
    house.take_stock(authority, *house.plan.of(*PURPOSES[authority]))


def found_operators(house: House, authority: str) -> None:
    """Version 1 of its registry of operators, which nobody has voted for yet."""
    people, registry = house.path / f"{authority}.operators.toml", house.path / f"{authority}.operators.json"
    people.write_text(operators_toml(authority, house.plan))
    assert house.sign("operator", "propose", people, "--out", registry) == 0


def init_options(house: House, authority: str) -> list[object]:
    registry = house.path / f"{authority}.operators.json"
    who = ["--authority", authority, "--environment", "staging", "--policy", house.path / f"{authority}.policy.toml"]
    votes = [part for name in APPROVERS for part in ("--vote", house.operators_vote(registry, authority, name))]
    return ["--home", house.home(authority), *who, "--operators", registry, *votes]


def copy_house(template: House, path: Path) -> House:
    """The same house, with the same cards, in another folder; this process uses its tokens from now on."""
    shutil.copytree(template.path, path, symlinks=True)
    conf = path / "softhsm" / "softhsm2.conf"
    conf.write_text(conf.read_text().replace(str(template.path), str(path)))
    os.environ["SOFTHSM2_CONF"] = str(conf)
    pkcs11.lib(MODULE).reinitialize()
    return House(path, FixedClock(template.clock.now()), template.cards, template.plan)


def policy_toml(house: House, authority: str) -> str:
    """Two approvals from two partitions for everything."""
    actions = [
        "inventory",
        "operators",
        "policy",
        "product",
        "retire",
        "finding",
        "release",
        "root",
        "recovery",
        "roles",
        "rollout",
    ]
    thresholds = {"root": 2, "payload": 2} if authority == "release" else {"targets": 1, "snapshot": 1, "manifest": 1}
    thresholds["root"] = 2
    quorum = 'approvals = 2\npartitions = ["engineering", "security"]'
    return "\n".join(
        [
            f'schema = 1\nversion = 1\nauthority = "{authority}"\nenvironment = "staging"\nrequest_hours = 72',
            f'operators_sha256 = "{sha256((house.path / f"{authority}.operators.json").read_bytes())}"',
            *(f"[actions.{action}]\n{quorum}" for action in actions),
            *(f"[expiry.{kind}]\nminimum = 1\nmaximum = 400" for kind in thresholds),
            "[thresholds]",
            *(f"{kind} = {threshold}" for kind, threshold in thresholds.items()),
            demands_toml(),
        ]
    )


def operators_toml(authority: str, plan: Plan = TWO_AUTHORITIES, /, **changes: str) -> str:
    """Rob asks; alice, bob and the plan's others approve; its custodians sign. ``changes``: who has another status."""
    people = [_operator("rob", "release", ["requester"], "", changes.get("rob", "active"))]
    approvers = APPROVERS | plan.approvers
    custodians = sorted({who for purpose, who in plan.keys.values() if purpose in {"root", "payload", "manifest"}})
    for who, partition in approvers.items():
        keys = f'{{record = "{who}.key.json", {VALID}}}'
        roles = ["approver", "policy-approver", *(["custodian"] if who in custodians else [])]
        people.append(_operator(who, partition, roles, keys, changes.get(who, "active")))
    others = [who for who in custodians if who not in approvers]
    people += [_operator(who, "operations", ["custodian"], "", changes.get(who, "active")) for who in others]
    return "\n".join([f'schema = 1\nauthority = "{authority}"\nenvironment = "staging"', *people])


def _operator(name: str, partition: str, roles: list[str], keys: str, status: str) -> str:
    names = f'id = "{name}"\nname = "{name.title()}"\npartition = "{partition}"\nstatus = "{status}"'
    return f"[[operators]]\n{names}\nroles = {json.dumps(roles)}\napproval_keys = [{keys}]"


def repository_toml(house: House, **changes: str | None) -> str:
    """The configuration; ``changes`` are TOML values, None leaves a line out."""
    lines = _lines(house) | house.plan.lines | changes
    lines.setdefault("audit_logs", audit_logs(house, lines["authority_model"] or ""))
    return "\n".join(f"{name} = {text}" for name, text in lines.items() if text is not None) + "\n"


def audit_logs(house: House, authority_model: str) -> str:
    """The value of ``audit_logs``: the logs of the authorities that there are in this model."""
    known = ("manifest",) if authority_model == '"manifest-only"' else ("manifest", "release")
    keys = {authority: log_signer(house.home(authority) / "audit.log").log.text for authority in known}
    lines = [f'{name} = {{public_key = "{key}", witnesses = [], witness_threshold = 0}}' for name, key in keys.items()]
    return f"{{{', '.join(lines)}}}"


def key_files(*tokens: str) -> str:
    """The value of ``root_keys`` and its like."""
    return str([f"{token}.key.json" for token in tokens])


def signer_of(house: House, token: str) -> str:
    """The value of ``timestamp_signer``: no path of the house, so that a copy of it need not change a byte."""
    return json.dumps([sys.executable, "-c", _SIGN, "timestamp", "--token", house.uri(token), "--label", token])


def _lines(house: House) -> dict[str, str | None]:
    return {
        **SETTINGS,
        "timestamp_signer": signer_of(house, "timestamp"),
        **{f"{purpose}_keys": key_files(*house.plan.of(purpose)) for purpose in ("root", "payload", "manifest")},
        "timestamp_keys": key_files(*house.plan.of("timestamp")),
    }
