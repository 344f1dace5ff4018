"""The vendor of the demo: who there is, their keys, the two policies, and the eight steps of a record."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from enigm_tuf.model.request import read_request
from enigm_tuf.model.strict_json import canonical, parse, sha256
from enigm_tuf.model.words import last_words
from examples.stage import PIN, Stage, hsm

ROOT_TOKENS = {"root-a": "carol", "root-b": "dave", "root-c": "erin"}
PAYLOAD_TOKENS = {"payload-a": "frank", "payload-b": "grace"}
MANIFEST_CARDS = {"heidi": 1001, "ivan": 1002}
APPROVERS = {"alice": (2001, "engineering"), "bob": (2002, "security")}
AUTHORITIES = ("release", "manifest")


def make_keys(stage: Stage) -> None:
    """Every key is made on its token and enrolled with proof that it answers."""
    stage.say("Ceremony: keys on six SoftHSM tokens with separate PINs, and on four PIV cards")
    tokens = {**ROOT_TOKENS, **PAYLOAD_TOKENS, "timestamp": "ops"}
    for label, custodian in tokens.items():
        purpose = label.partition("-")[0]
        stage.sign("token", "init", "--token", hsm(label))
        stage.sign("key", "generate", "--token", hsm(label), "--label", purpose, "--algorithm", "ecdsa-p256")
        _enrol(stage, hsm(label), purpose, purpose, custodian, f"{label}.key.json")
    serials = MANIFEST_CARDS | {name: serial for name, (serial, _) in APPROVERS.items()}
    uris = {name: stage.card(name, serial) for name, serial in serials.items()}
    for pair in (tuple(MANIFEST_CARDS), tuple(APPROVERS)):
        stage.put_in(*pair)
        for name in pair:
            purpose, slot = ("manifest", "9c") if name in MANIFEST_CARDS else ("approval", "9a")
            stage.sign("token", "init", "--token", uris[name])
            stage.sign("key", "generate", "--token", uris[name], "--label", slot)
            _enrol(stage, uris[name], slot, purpose, name, f"{name}.key.json", "--attestation-root", "piv-root.pem")


def _enrol(stage: Stage, uri: str, label: str, purpose: str, custodian: str, out: str, *more: str) -> None:
    what = ["--purpose", purpose, "--environment", "staging", "--custodian", custodian, "--out", out]
    stage.sign("key", "enrol", "--token", uri, "--label", label, *what, *more)


def write_policies(stage: Stage) -> None:
    """One policy for each authority: two approvals, one of them from security."""
    for authority in AUTHORITIES:
        kinds = {"release": ("root", "payload"), "manifest": ("root", "targets", "snapshot", "manifest")}[authority]
        thresholds = {"root": 2, "payload": 2, "targets": 1, "snapshot": 1, "manifest": 1}
        actions = [
            "inventory",
            "product",
            "release",
            "root",
            "roles",
            *(["recovery"] if authority == "release" else []),
        ]
        text = f'schema = 1\nversion = 1\nauthority = "{authority}"\nenvironment = "staging"\nrequest_hours = 72\n'
        text += "".join(_operator(stage.folder, name, partition) for name, (_, partition) in APPROVERS.items())
        text += '[[operators]]\nid = "rob"\nname = "Rob"\npartition = "engineering"\nroles = ["requester"]\n'
        text += "approval_keys = []\n"
        for action in actions:
            text += f'[actions.{action}]\napprovals = 2\npartitions = ["engineering", "security"]\n'
        text += "".join(f"[expiry.{kind}]\nminimum = 7\nmaximum = 400\n" for kind in kinds)
        text += "[thresholds]\n" + "".join(f"{kind} = {thresholds[kind]}\n" for kind in kinds)
        (stage.folder / f"{authority}.policy.toml").write_text(text)


def _operator(folder: Path, name: str, partition: str) -> str:
    record = json.loads((folder / f"{name}.key.json").read_text())
    key = load_pem_public_key(record["key"]["keyval"]["public"].encode())
    spki = base64.b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
    return (
        f'[[operators]]\nid = "{name}"\nname = "{name.title()}"\npartition = "{partition}"\nroles = ["approver"]\n'
        f'[[operators.approval_keys]]\npublic_key = "{spki}"\ndevice = "{record["token"]["serial"]}"\n'
    )


def take_stock(stage: Stage) -> None:
    """Each authority's keys into its inventory, which two operators sign: no token signs before that."""
    records = {"release": [*ROOT_TOKENS, *PAYLOAD_TOKENS], "manifest": list(MANIFEST_CARDS)}
    stage.put_in(*APPROVERS)
    for authority, names in records.items():
        proposal, votes = f"{authority}.inventory.json", []
        options = [part for name in names for part in ("--record", f"{name}.key.json")]
        stage.sign("inventory", "propose", "--home", authority, *options, "--out", proposal)
        typed = {"last four words": last_words(sha256((stage.folder / proposal).read_bytes()))}
        for name, (serial, _) in APPROVERS.items():
            out = f"{authority}.inventory.{name}.dsse.json"
            policy = ["--policy", f"{authority}.policy.toml", "--operator", name]
            token = ["--token", f"piv:serial={serial}", "--label", "9a"]
            stage.sign("inventory", "sign", proposal, *policy, *token, "--out", out, answers=typed)
            votes += ["--vote", out]
        stage.sign("inventory", "adopt", proposal, "--home", authority, *votes)


def found_authorities(stage: Stage) -> dict[str, str]:
    """The homes; the key of each one's audit log, as the command prints it."""
    logs = {}
    for authority in AUTHORITIES:
        what = ["--authority", authority, "--environment", "staging", "--policy", f"{authority}.policy.toml"]
        said = stage.sign("authority", "init", "--home", authority, *what).out
        logs[authority] = next(line.split()[-1] for line in said.splitlines() if line.startswith("audit log "))
    return logs


def write_repository_configuration(stage: Stage, artifact_rules: str, logs: dict[str, str]) -> None:
    """repository.toml, and the PIN file of the one key that is online."""
    pin = stage.folder / "timestamp.pin"
    pin.write_text(PIN)
    pin.chmod(0o600)
    signer = ["enigm-sign", "timestamp", "--token", hsm("timestamp"), "--label", "timestamp", "--pin-file", str(pin)]
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
    responses: list[str] = []
    for authority in authorities:
        request = f"repository/records/{record}/requests/{authority}.enigmreq"
        stage.repo("request", "lint", str(stage.folder / request))
        responses += sign_request(stage, record, authority, request)
    stage.repo("release", "attach", record, *(str(stage.folder / response) for response in responses))
    for verb in ("verify", "gate", "publish"):
        stage.repo("release", verb, record)


def sign_request(stage: Stage, record: str, authority: str, request: str) -> list[str]:
    """Steps 3 to 5: two approvals, then every custodian that the roles need."""
    typed = {"last four words": last_words(read_request((stage.folder / request).read_bytes(), request).digest)}
    stage.sign("request", "inspect", request, "--home", authority)
    ballots = [_approve(stage, request, authority, record, name, typed) for name in APPROVERS]
    if authority == "manifest":
        stage.put_in(*MANIFEST_CARDS)
        signers = {"heidi": ("piv:serial=1001", "9c")}
    else:
        labels = list(ROOT_TOKENS)[:2] if record.startswith("root-") else list(PAYLOAD_TOKENS)
        signers = {label: (hsm(label), label.partition("-")[0]) for label in labels}
    responses = []
    for name, (uri, label) in signers.items():
        out = f"{record}.{authority}.{name}.enigmresp"
        options = ["--home", authority, "--token", uri, "--label", label, "--out", out]
        for ballot in ballots:
            options += ["--approval", ballot]
        stage.sign("sign", request, *options, answers=typed)
        responses.append(out)
    return responses


def _approve(stage: Stage, request: str, authority: str, record: str, name: str, typed: dict[str, str]) -> str:
    stage.put_in(*APPROVERS)
    out = f"{record}.{authority}.{name}.dsse.json"
    token = ["--token", f"piv:serial={APPROVERS[name][0]}", "--label", "9a"]
    policy = ["--policy", f"{authority}.policy.toml", "--operator", name]
    stage.sign("approve", request, *policy, *token, "--reason", "reviewed", "--out", out, answers=typed)
    return out


def trust_root(stage: Stage) -> None:
    """Both authorities take the root that the ceremony made, by its words."""
    root = "repository/published/metadata/1.root.json"
    for authority in AUTHORITIES:
        stage.sign("authority", "trust", "--home", authority, "--root", root, answers=_root_words(stage, root))


def _root_words(stage: Stage, root: str) -> dict[str, str]:
    signed = parse((stage.folder / root).read_bytes(), source=root)["signed"]
    return {"last four words": last_words(sha256(canonical(signed)))}
