"""Seven attacks on the vendor of the demo. Each serves a tree of its own to a device, and must be refused by a rule."""

import copy
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tuf.api.metadata import TargetFile, Targets

from enigm_testkit.authorities import spki_digest
from enigm_tuf.model.root_extension import FIELD
from enigm_tuf.model.strict_json import encode
from examples.device import Server, make_device
from examples.stage import Stage
from examples.thief import Forgery, StolenKey, own_key, public_key, stolen_card, stolen_hsm_key

PAYLOAD = "payloads/phone/1.1/ota-1.1.zip"
EVIL = "payloads/phone/1.2/evil.zip"


@dataclass
class Scene:
    """Where an attack plays: the published tree, an old copy of it, and a device that already runs release 2."""

    stage: Stage
    published: Path
    old_tree: Path
    device: Path

    def forgery(self, name: str) -> Forgery:
        tree = self.stage.folder / "attacks" / name
        shutil.copytree(self.published, tree)
        return Forgery(tree)


def swapped_payload(scene: Scene) -> str:
    """(a) a payload swapped on the server"""
    forgery = scene.forgery("a")
    (file,) = (path for path in (forgery.tree / "targets/payloads/phone/1.1").iterdir() if path.suffix != ".chunks")
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    return refused(scene, forgery.tree, "fetch", new_device=True)


def manifest_keys_alone(scene: Scene) -> str:
    """(b) the manifest authority's keys used alone to ship a payload of their own"""
    forgery = scene.forgery("b")
    heidi, timestamp = stolen_card(scene.stage, "heidi"), stolen_hsm_key(scene.stage, "timestamp")
    role = _list_evil(forgery)
    forgery.put("phone.manifest", role, [heidi])
    forgery.put_in_force({"phone.manifest": role.version}, heidi, timestamp)
    no_record = refused(scene, forgery.tree, "check", new_device=True)
    signer = own_key()
    targets, delegations, delegated = forgery.delegated()
    delegations.keys[signer.public_key.keyid] = signer.public_key
    delegated.keyids, delegated.threshold = [signer.public_key.keyid], 1
    targets.version += 1
    payload = forgery.targets("phone.payload")
    payload.targets[EVIL] = _evil_target(role_record(payload.targets[PAYLOAD]))
    payload.version += 1
    forgery.put("targets", targets, [heidi])
    forgery.put("phone.payload", payload, [signer])
    forgery.put_in_force({"targets": targets.version, "phone.payload": payload.version}, heidi, timestamp)
    return f"{no_record}, and with a payload signer of its own {refused(scene, forgery.tree, 'check', new_device=True)}"


def payload_keys_alone(scene: Scene) -> str:
    """(c) the payload keys used alone"""
    forgery = scene.forgery("c")
    signers = [stolen_hsm_key(scene.stage, label) for label in ("payload-a", "payload-b")]
    payload = forgery.targets("phone.payload")
    evil = _evil_target(role_record(payload.targets[PAYLOAD]))
    evil.path = PAYLOAD
    payload.targets[PAYLOAD] = evil
    forgery.put("phone.payload", payload, signers)
    return refused(scene, forgery.tree, "check", new_device=True)


def replayed_release(scene: Scene) -> str:
    """(d) an old release replayed"""
    return refused(scene, scene.old_tree, "check")


def one_key_as_two(scene: Scene) -> str:
    """(e) one key posing as two in a threshold"""
    forgery = scene.forgery("e")
    heidi, timestamp = stolen_card(scene.stage, "heidi"), stolen_hsm_key(scene.stage, "timestamp")
    stolen = stolen_hsm_key(scene.stage, "payload-a")
    twin = StolenKey(copy.deepcopy(stolen.key), stolen.raw)
    twin.key.keyid = "ab" * 32
    targets, delegations, delegated = forgery.delegated()
    delegations.keys[twin.key.keyid] = twin.key
    delegated.keyids = [stolen.key.keyid, twin.key.keyid]
    targets.version += 1
    payload = forgery.targets("phone.payload")
    payload.version += 1
    forgery.put("targets", targets, [heidi])
    forgery.put("phone.payload", payload, [stolen, twin])
    forgery.put_in_force({"targets": targets.version, "phone.payload": payload.version}, heidi, timestamp)
    return refused(scene, forgery.tree, "check")


def development_key_in_root(scene: Scene) -> str:
    """(f) a development key in a production root"""
    stage, forgery = scene.stage, scene.forgery("f")
    uri, purpose = "development:dev.json", ["--purpose", "root", "--environment", "development"]
    stage.sign("token", "init", "--token", uri)
    stage.sign("key", "generate", "--token", uri, "--label", "root")
    stage.sign(
        "key", "enrol", "--token", uri, "--label", "root", *purpose, "--custodian", "erin", "--out", "dev.key.json"
    )
    root, key = forgery.root(), public_key(stage, "dev")
    extension = root.unrecognized_fields[FIELD]
    root.revoke_key(root.roles["root"].keyids[2], "root")
    root.add_key(key, "root")
    extension["keyinfo"][key.keyid] = extension["keyinfo"][root.roles["root"].keyids[0]] | {
        "spki_sha256": spki_digest(key),
        "home": "development",
    }
    extension["authorities"]["release"]["keyids"].append(key.keyid)
    extension["environment"] = "production"
    for info in extension["keyinfo"].values():
        info["environment"] = "production"
    forgery.put("root", root, [stolen_hsm_key(stage, label) for label in ("root-a", "root-b")])
    return make_device(stage, "device-f", forgery.file("root", 1), "http://127.0.0.1:9", environment="production")


def manifest_keys_swapped(scene: Scene) -> str:
    """(g) a root that swaps the manifest keys without the manifest authority's consent"""
    forgery = scene.forgery("g")
    new = own_key()
    root = forgery.root()
    extension = root.unrecognized_fields[FIELD]
    old = list(extension["authorities"]["manifest"]["keyids"])
    info = copy.deepcopy(extension["keyinfo"][old[0]])
    info["spki_sha256"] = spki_digest(new.public_key)
    extension["keyinfo"][new.public_key.keyid] = info
    extension["authorities"]["manifest"]["keyids"] = [new.public_key.keyid]
    for role in ("targets", "snapshot"):
        for keyid in old:
            root.revoke_key(keyid, role)
        root.add_key(new.public_key, role)
    root.version += 1
    forgery.put("root", root, [stolen_hsm_key(scene.stage, label) for label in ("root-a", "root-b")])
    return refused(scene, forgery.tree, "check")


def refused(scene: Scene, tree: Path, verb: str, *, new_device: bool = False) -> str:
    """Serve ``tree`` to a device; the rule that refused."""
    device = scene.device
    with Server(scene.stage, tree) as server:
        if new_device:
            device = scene.stage.folder / f"device-{tree.name}-{len(scene.stage.played)}"
            make_device(scene.stage, device.name, scene.published / "metadata/1.root.json", server.url)
        else:
            server.point(device)
        outcome = scene.stage.update(device, verb, "--json", status=3)
    return rule_of(outcome.err)


def rule_of(error: str) -> str:
    """``error: RULE: ...`` names it."""
    lines = [line for line in error.splitlines() if line.startswith("error: ")]
    return lines[0].split(": ")[1] if lines else f"no rule in {error!r}"


def role_record(target: TargetFile) -> dict[str, object]:
    return dict(target.unrecognized_fields["custom"])


def _evil_target(record: dict[str, object]) -> TargetFile:
    target = TargetFile.from_data(EVIL, b"evil", ["sha256", "sha512"])
    target.unrecognized_fields["custom"] = record
    return target


def _list_evil(forgery: Forgery) -> Targets:
    """The manifest role with a manifest that offers the attacker's payload as the newest release."""
    role = forgery.targets("phone.manifest")
    path = "manifests/phone/stable.json"
    folder = forgery.tree / "targets/manifests/phone"
    manifest = json.loads((folder / f"{role.targets[path].hashes['sha256']}.stable.json").read_text())
    newest = copy.deepcopy(manifest["releases"][0])
    evil = TargetFile.from_data(EVIL, b"evil", ["sha256", "sha512"])
    newest |= {"version": "1.2", "build_id": "EVIL.1", "rollback_index": newest["rollback_index"] + 1}
    newest["payloads"] = [{"path": EVIL, "length": 4, "hashes": evil.hashes, "type": "full-ota"}]
    manifest["releases"].insert(0, newest)
    data = encode(manifest)
    role.targets[path] = TargetFile.from_data(path, data, ["sha256", "sha512"])
    (folder / f"{role.targets[path].hashes['sha256']}.stable.json").write_bytes(data)
    role.version += 1
    return role


ATTACKS: tuple[tuple[Callable[[Scene], str], str], ...] = (
    (swapped_payload, "CHUNK-HASH"),
    (manifest_keys_alone, "DUAL-AGREEMENT, and with a payload signer of its own PAYLOAD-PINNED"),
    (payload_keys_alone, "DUAL-AGREEMENT"),
    (replayed_release, "ROLLBACK-TIMESTAMP"),
    (one_key_as_two, "THRESHOLD-DISTINCT"),
    (development_key_in_root, "ENVIRONMENT-MATCH"),
    (manifest_keys_swapped, "ROOT-CONSENT"),
)
"""Each attack, and the rules that must refuse it."""
