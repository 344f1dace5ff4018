"""The vendor of the demo: who there is, their keys, the two policies, and the eight steps of a record."""

import json
from collections.abc import Sequence
from pathlib import Path

from enigm_tuf.model.request import read_request
from enigm_tuf.model.strict_json import canonical, parse, sha256
from enigm_tuf.model.words import last_words
from examples.stage import PIN, Outcome, Stage, hsm

ROOT_TOKENS = {"root-a": "carol", "root-b": "dave", "root-c": "erin"}
SPARE_HOLDER = "judy"  # who would keep a spare root token; the registry of operators knows them from the start
PAYLOAD_TOKENS = {"payload-a": "frank", "payload-b": "grace"}
MANIFEST_CARDS = {"heidi": 1001, "ivan": 1002}
APPROVERS = {"alice": (2001, "engineering"), "bob": (2002, "security")}
AUTHORITIES = ("release", "manifest")


def make_keys(stage: Stage) -> None:
    """Every key is made on its token and enrolled with proof that it answers."""
    stage.say("Ceremony: keys on six SoftHSM tokens with separate PINs, and on four PIV cards")
    for label, custodian in {**ROOT_TOKENS, **PAYLOAD_TOKENS, "timestamp": "ops"}.items():
        make_hsm_key(stage, label, custodian)
    serials = MANIFEST_CARDS | {name: serial for name, (serial, _) in APPROVERS.items()}
    uris = {name: stage.card(name, serial) for name, serial in serials.items()}
    for pair in (tuple(MANIFEST_CARDS), tuple(APPROVERS)):
        stage.put_in(*pair)
        for name in pair:
            purpose, slot = ("manifest", "9c") if name in MANIFEST_CARDS else ("approval", "9a")
            stage.sign("token", "init", "--token", uris[name])
            stage.sign("key", "generate", "--token", uris[name], "--label", slot)
            _enrol(stage, uris[name], slot, purpose, name, f"{name}.key.json", "--attestation-root", "piv-root.pem")


def make_hsm_key(stage: Stage, label: str, custodian: str) -> None:
    """A token of its own with one key: ``root-a`` has the key ``root``."""
    purpose = label.partition("-")[0]
    stage.sign("token", "init", "--token", hsm(label))
    stage.sign("key", "generate", "--token", hsm(label), "--label", purpose, "--algorithm", "ecdsa-p256")
    _enrol(stage, hsm(label), purpose, purpose, custodian, f"{label}.key.json")


def _enrol(stage: Stage, uri: str, label: str, purpose: str, custodian: str, out: str, *more: str) -> None:
    what = ["--purpose", purpose, "--environment", "staging", "--custodian", custodian, "--out", out]
    stage.sign("key", "enrol", "--token", uri, "--label", label, *what, *more)


def write_policies(stage: Stage) -> None:
    """One policy for each authority: two approvals, one of them from security. It names the operators' registry."""
    for authority in AUTHORITIES:
        _write_operators(stage, authority)
        kinds = {"release": ("root", "payload"), "manifest": ("root", "targets", "snapshot", "manifest")}[authority]
        thresholds = {"root": 2, "payload": 2, "targets": 1, "snapshot": 1, "manifest": 1}
        actions = [
            "inventory",
            "operators",
            "policy",
            "finding",
            "product",
            "release",
            "root",
            "roles",
            *(["recovery"] if authority == "release" else ["rollout"]),
        ]
        text = f'schema = 1\nversion = 1\nauthority = "{authority}"\nenvironment = "staging"\nrequest_hours = 72\n'
        text += f'operators_sha256 = "{sha256((stage.folder / f"{authority}.operators.json").read_bytes())}"\n'
        for action in actions:
            text += f'[actions.{action}]\napprovals = 2\npartitions = ["engineering", "security"]\n'
        text += "".join(f"[expiry.{kind}]\nminimum = 7\nmaximum = 400\n" for kind in kinds)
        text += "[thresholds]\n" + "".join(f"{kind} = {thresholds[kind]}\n" for kind in kinds)
        text += _DEMANDS
        (stage.folder / f"{authority}.policy.toml").write_text(text)


_DEMANDS = """
[key]
piv_firmware = "5.7.0"
attested = ["piv"]

[source]
unproved = ["phone"]  # the demo's farm signs nothing
products = []

[gate]
untested = ["phone"]
products = []

[time]
relax_delay_hours = 0
cool_down_hours = {root = 0, recovery = 0, product = 0, retire = 0, release = 0, roles = 0, rollout = 0, emergency = 0}
freezes = []
weekly_freezes = []

[rate]
signatures_per_session = 10
signatures_per_day = 100

[ceremony.open_hours]
root = 0
recovery = 0
product = 0
retire = 0
release = 0
roles = 0
rollout = 0
emergency = 0
policy = 0
operators = 0
inventory = 0
"""


def _write_operators(stage: Stage, authority: str) -> None:
    """Rob asks, alice and bob approve, custodians sign: version 1 of the registry, from the file that people write."""
    text = f'schema = 1\nauthority = "{authority}"\nenvironment = "staging"\n'
    text += _person("rob", "engineering", ["requester"], "")
    for name, (_, partition) in APPROVERS.items():
        valid = 'valid_from = "2026-01-01T00:00:00Z", valid_until = "2030-01-01T00:00:00Z"'
        text += _person(name, partition, ["approver", "policy-approver"], f'{{record = "{name}.key.json", {valid}}}')
    custodians = (
        {*ROOT_TOKENS.values(), *PAYLOAD_TOKENS.values(), SPARE_HOLDER} if authority == "release" else {*MANIFEST_CARDS}
    )
    text += "".join(_person(name, "operations", ["custodian"], "") for name in sorted(custodians))
    (stage.folder / f"{authority}.operators.toml").write_text(text)
    stage.sign("operator", "propose", f"{authority}.operators.toml", "--out", f"{authority}.operators.json")


def _person(name: str, partition: str, roles: list[str], key: str) -> str:
    return (
        f'[[operators]]\nid = "{name}"\nname = "{name.title()}"\npartition = "{partition}"\nstatus = "active"\n'
        f"roles = {json.dumps(roles)}\napproval_keys = [{key}]\n"
    )


def found_authorities(stage: Stage) -> dict[str, str]:
    """The first operators vote for themselves; the policy, which root will pin, names them.

    Returns the key of each authority's audit log, as the command prints it: root pins it too.
    """
    logs = {}
    stage.put_in(*APPROVERS)
    for authority in AUTHORITIES:
        registry = f"{authority}.operators.json"
        votes = [part for name in APPROVERS for part in ("--vote", _vote(stage, "operator", registry, authority, name))]
        what = ["--authority", authority, "--environment", "staging", "--policy", f"{authority}.policy.toml"]
        said = stage.sign("authority", "init", "--home", authority, *what, "--operators", registry, *votes).out
        logs[authority] = next(line.split()[-1] for line in said.splitlines() if line.startswith("audit log "))
    return logs


def _vote(stage: Stage, verb: str, document: str, authority: str, name: str) -> str:
    out = f"{document.removesuffix('.json')}.{name}.dsse.json"
    typed = {"last four words": last_words(sha256((stage.folder / document).read_bytes()))}
    token = ["--token", f"piv:serial={APPROVERS[name][0]}", "--label", "9a"]
    stage.sign(verb, "sign", document, *_works_as(authority, name), *token, "--out", out, answers=typed)
    return out


def _works_as(authority: str, name: str) -> list[str]:
    return [
        *("--policy", f"{authority}.policy.toml", "--operators", f"{authority}.operators.json"),
        *("--operator", name),
    ]


def take_stock(stage: Stage) -> None:
    """Each authority's keys into its inventory, which two operators sign: no token signs before that."""
    records = {"release": [*ROOT_TOKENS, *PAYLOAD_TOKENS], "manifest": list(MANIFEST_CARDS)}
    for authority, names in records.items():
        take_in(stage, authority, f"{authority}.inventory", *(f"{name}.key.json" for name in names))


def take_in(stage: Stage, authority: str, name: str, *records: str, retire: Sequence[str] = ()) -> None:
    """The next inventory, ``name``.json: key records come in, SPKI digests go; both operators sign it."""
    proposal = f"{name}.json"
    votes: list[str] = []
    stage.put_in(*APPROVERS)
    options = [part for record in records for part in ("--record", record)]
    options += [part for spki in retire for part in ("--retire", spki)]
    stage.sign("inventory", "propose", "--home", authority, *options, "--out", proposal)
    for operator in APPROVERS:
        votes += ["--vote", _vote(stage, "inventory", proposal, authority, operator)]
    stage.sign("inventory", "adopt", proposal, "--home", authority, *votes)


def write_repository_configuration(stage: Stage, artifact_rules: str, logs: dict[str, str]) -> None:
    """repository.toml, and the PIN file of the one key that is online."""
    pin = stage.folder / "timestamp.pin"
    pin.write_text(PIN)
    pin.chmod(0o600)
    root = stage.folder / "repository/published/metadata/1.root.json"
    signer = ["enigm-sign", "timestamp", "--token", hsm("timestamp"), "--label", "timestamp"]
    signer += ["--root", str(root), "--pin-file", str(pin)]
    lines = {
        "environment": "staging",
        "authority_model": "dual",
        "requester": "rob",
        "request_hours": 72,
        "root_keys": [f"{label}.key.json" for label in ROOT_TOKENS],
        "root_threshold": 2,
        "recovery_threshold": 3,
        "payload_keys": [f"{label}.key.json" for label in PAYLOAD_TOKENS],
        "payload_threshold": 2,
        "manifest_keys": [f"{name}.key.json" for name in MANIFEST_CARDS],
        "manifest_threshold": 1,
        "timestamp_keys": ["timestamp.key.json"],
        "timestamp_signer": signer,
    }
    text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items())
    text += '[policies]\nmanifest = "manifest.policy.toml"\nrelease = "release.policy.toml"\n'
    for authority, key in logs.items():
        text += f'[audit_logs.{authority}]\npublic_key = "{key}"\nwitnesses = []\nwitness_threshold = 0\n'
    text += "[expiry_days]\nroot = 365\ntargets = 180\nsnapshot = 30\nmanifest = 30\npayload = 365\ntimestamp = 2\n"
    (stage.folder / "repository.toml").write_text(text + artifact_rules)


def eight_steps(stage: Stage, record: str, authorities: Sequence[str]) -> None:
    """From the requests that were prepared to publication; steps 1 and 2 are behind us."""
    sign_all(stage, record, authorities)
    finish(stage, record)


def sign_all(stage: Stage, record: str, authorities: Sequence[str]) -> None:
    """Steps 3 to 5."""
    responses: list[str] = []
    for authority in authorities:
        request = f"repository/records/{record}/requests/{authority}.enigmreq"
        stage.repo("request", "lint", str(stage.folder / request))
        responses += sign_request(stage, record, authority, request)
    attach(stage, record, *responses)


def attach(stage: Stage, record: str, *responses: str) -> None:
    stage.repo("release", "attach", record, *(str(stage.folder / response) for response in responses))


def finish(stage: Stage, record: str) -> None:
    """Steps 6 to 8."""
    for verb in ("verify", "gate", "publish"):
        stage.repo("release", verb, record)


def sign_request(
    stage: Stage, record: str, authority: str, request: str, tokens: Sequence[str] = (), consents: Sequence[str] = ()
) -> list[str]:
    """Steps 3 to 5: two approvals, then every custodian that the roles need: ``tokens``, or who signs such records."""
    name = Path(request).stem
    typed = {"last four words": last_words(read_request((stage.folder / request).read_bytes(), request).digest)}
    stage.sign("request", "inspect", request, "--home", authority)
    ballots = [f"{record}.{name}.{approver}.dsse.json" for approver in APPROVERS]
    for approver, out in zip(APPROVERS, ballots, strict=True):
        approve(stage, request, authority, approver, out)
    if authority == "manifest":
        stage.put_in(*MANIFEST_CARDS)
        signers = {"heidi": ("piv:serial=1001", "9c")}
    else:
        labels = tokens or (list(ROOT_TOKENS)[:2] if record.startswith("root-") else list(PAYLOAD_TOKENS))
        signers = {label: (hsm(label), label.partition("-")[0]) for label in labels}
    responses = []
    for custodian, (uri, label) in signers.items():
        out = f"{record}.{name}.{custodian}.enigmresp"
        options = ["--home", authority, "--token", uri, "--label", label, "--out", out]
        options += [part for ballot in ballots for part in ("--approval", ballot)]
        options += [part for consent in consents for part in ("--consent", consent)]
        stage.sign("sign", request, *options, answers=typed)
        responses.append(out)
    return responses


def approve(
    stage: Stage,
    request: str,
    authority: str,
    name: str,
    out: str,
    *,
    verb: str = "approve",
    card: str = "",
    words: str = "",
    status: int = 0,
) -> Outcome:
    """``name`` decides, with the card of ``card``, and types ``words``, or those of the request."""
    stage.put_in(*APPROVERS)
    digest = read_request((stage.folder / request).read_bytes(), request).digest
    token = ["--token", f"piv:serial={APPROVERS[card or name][0]}", "--label", "9a"]
    typed = {"last four words": words or last_words(digest)}
    who = [*_works_as(authority, name), *token]
    return stage.sign(verb, request, *who, "--reason", "reviewed", "--out", out, answers=typed, status=status)


def trust_root(stage: Stage) -> None:
    """Both authorities take the root that the ceremony made, by its words."""
    root = "repository/published/metadata/1.root.json"
    for authority in AUTHORITIES:
        stage.sign("authority", "trust", "--home", authority, "--root", root, answers=_root_words(stage, root))


def _root_words(stage: Stage, root: str) -> dict[str, str]:
    signed = parse((stage.folder / root).read_bytes(), source=root)["signed"]
    return {"last four words": last_words(sha256(canonical(signed)))}
