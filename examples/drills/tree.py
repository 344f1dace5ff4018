"""Who serves the tree, and who holds the keys of one authority, of freshness, or of root."""

import json
import shutil
from pathlib import Path

from examples.attacks import (
    Scene,
    manifest_keys_alone,
    one_key_as_two,
    payload_keys_alone,
    refused,
    replayed_release,
    rule_of,
    swapped_payload,
)
from examples.device import Server, make_device
from examples.drills.shape import IN_FLIGHT, Attempt, Drill
from examples.thief import stolen_card, stolen_hsm_key
from examples.vendor import AUTHORITIES, sign_all


def _dropped_delegation(scene: Scene) -> str:
    forgery = scene.forgery("dropped")
    targets, delegations, _ = forgery.delegated()
    if delegations.roles is not None:
        del delegations.roles["phone.payload"]
    forgery.put("targets", targets, [])
    return refused(scene, forgery.tree, "check", new_device=True)


def _mixed(scene: Scene) -> str:
    """Today's snapshot over the manifests of the release before."""
    forgery = scene.forgery("mixed")
    newest = forgery.newest("phone.manifest")
    shutil.copyfile(forgery.file("phone.manifest", newest - 1), forgery.file("phone.manifest", newest))
    return refused(scene, forgery.tree, "check", new_device=True)


def _unsigned_file(scene: Scene) -> str:
    """The release in flight is signed by everybody; a file that nobody signed appears beside it."""
    sign_all(scene.stage, IN_FLIGHT, AUTHORITIES)
    extra = scene.stage.folder / f"repository/records/{IN_FLIGHT}/staged/targets/extra.bin"
    extra.parent.mkdir(parents=True, exist_ok=True)
    extra.write_bytes(b"nobody signed this")
    rule = rule_of(scene.stage.repo("release", "verify", IN_FLIGHT, status=3).err)
    extra.unlink()
    return rule


def _held_back(scene: Scene) -> str:
    """The tree as it was before the last release, to a device that has never seen a newer one."""
    return "held back: " + offered(scene, scene.old_tree)


def _withdrawn(scene: Scene) -> str:
    """The manifest authority's keys list no product any more."""
    forgery = scene.forgery("withdrawn")
    heidi, timestamp = stolen_card(scene.stage, "heidi"), stolen_hsm_key(scene.stage, "timestamp")
    role = forgery.targets("phone.manifest")
    role.targets.clear()
    role.version += 1
    forgery.put("phone.manifest", role, [heidi])
    forgery.put_in_force({"phone.manifest": role.version}, heidi, timestamp)
    return refused(scene, forgery.tree, "check", new_device=True)


def offered(scene: Scene, tree: Path) -> str:
    """What a new device is offered from ``tree``: a version, or nothing."""
    with Server(scene.stage, tree) as server:
        device = scene.stage.folder / f"device-{tree.name}-{len(scene.stage.played)}"
        make_device(scene.stage, device.name, scene.published / "metadata/1.root.json", server.url)
        offer = json.loads(scene.stage.update(device, "check", "--json").out)["offer"]
    return str(offer) if offer else "nothing"


REPOSITORY = Drill(
    "repository, CDN or DNS",
    "every byte that a device is served",
    (
        Attempt("a payload swapped", swapped_payload, "CHUNK-HASH"),
        Attempt("the release before, to a device that has the newest", replayed_release, "ROLLBACK-TIMESTAMP"),
        Attempt("the payload role's delegation dropped", _dropped_delegation, "SIGNATURE-THRESHOLD"),
        Attempt("old manifests under the newest snapshot", _mixed, "TARGETS-VERSION"),
        Attempt("a file that nobody signed, before publication", _unsigned_file, "RECORD-EVIDENCE"),
    ),
    (
        Attempt(
            "the release before, to a device that has none, until the timestamp expires", _held_back, "held back: 1.0"
        ),
    ),
)
MANIFEST_QUORUM = Drill(
    "manifest quorum, and the freshness key",
    "enough PIV cards with their PINs, and the timestamp's token",
    (
        Attempt(
            "a payload of its own, and then with a payload signer of its own",
            manifest_keys_alone,
            "DUAL-AGREEMENT, and with a payload signer of its own PAYLOAD-PINNED",
        ),
        Attempt("with one stolen payload key as two", one_key_as_two, "THRESHOLD-DISTINCT"),
    ),
    (Attempt("no more releases for anybody", _withdrawn, "TARGET-MISSING"),),
)
PAYLOAD_QUORUM = Drill(
    "payload quorum",
    "enough payload tokens with their PINs",
    (Attempt("other bytes for a release that is out", payload_keys_alone, "DUAL-AGREEMENT"),),
)
