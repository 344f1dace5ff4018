"""One token of root is lost: what it is good for, and how the rest sign it out and a spare in."""

import json

from examples.attacks import Scene, manifest_keys_swapped, refused
from examples.drills.shape import Attempt, Drill
from examples.thief import stolen_hsm_key
from examples.vendor import SPARE_HOLDER, attach, finish, make_hsm_key, sign_request, take_in

LOST, SPARE = "root-c", "root-d"
REST = ("root-a", "root-b")
_RECORD = "root-2"


def _alone(scene: Scene) -> str:
    forgery = scene.forgery("one-root-key")
    root = forgery.root()
    root.version += 1
    forgery.put("root", root, [stolen_hsm_key(scene.stage, LOST)])
    return refused(scene, forgery.tree, "check")


def _rotated_out(scene: Scene) -> str:
    """The rest make root 2 with a spare in the lost token's place; then the lost one signs root 3 with another."""
    stage = scene.stage
    make_hsm_key(stage, SPARE, SPARE_HOLDER)
    lost = json.loads((stage.folder / f"{LOST}.key.json").read_text())["spki_sha256"]
    take_in(stage, "release", "next.inventory", f"{SPARE}.key.json", retire=[lost])
    stage.repo("root", "rotate-out", f"{LOST}.key.json", "--spare", f"{SPARE}.key.json")
    requests = f"repository/records/{_RECORD}/requests"
    consents = sign_request(stage, _RECORD, "manifest", f"{requests}/manifest.enigmreq")
    responses = sign_request(stage, _RECORD, "release", f"{requests}/release.enigmreq", REST, consents)
    attach(stage, _RECORD, *consents, *responses)
    finish(stage, _RECORD)
    forgery = scene.forgery("lost-root-key")
    root = forgery.root()
    root.version += 1
    forgery.put("root", root, [stolen_hsm_key(stage, label) for label in (REST[0], LOST)])
    return refused(scene, forgery.tree, "check")


ROOT_TOKEN = Drill(
    "one root token",
    "the token with its PIN",
    (
        Attempt("a root of its own", _alone, "SIGNATURE-THRESHOLD"),
        Attempt("with a second one: manifest keys of its own", manifest_keys_swapped, "ROOT-CONSENT"),
        Attempt(
            "a root of its own with a second one, after the rest signed it out", _rotated_out, "SIGNATURE-THRESHOLD"
        ),
    ),
)
