"""Fuzz targets of the signing flow: requests, responses, approvals."""

import base64
import json
import random
from collections.abc import Callable
from functools import cache

from enigm_testkit.authorities import NOW
from enigm_testkit.custodians import SoftKey, answer, response_file, voter
from enigm_testkit.requests import Scene
from enigm_testkit.scenes import manifest_release, next_root, payload_release
from enigm_testkit.waivers import waiver
from enigm_tuf.model.approval import read_approval
from enigm_tuf.model.operators import write_operators
from enigm_tuf.model.request import make_request, read_request
from enigm_tuf.model.statement import read_envelope
from enigm_tuf.model.waiver import is_waiver, read_waiver
from enigm_tuf.policy.engine import evaluate
from enigm_tuf.policy.question import Question
from enigm_tuf.policy.reading import ask
from fuzz import seeds
from fuzz.mutators import json_mutator

SOURCE = "fuzz"


@cache
def question() -> Question:
    return manifest_release().question()


SCENES: tuple[Callable[[], Scene], ...] = (manifest_release, payload_release, next_root)


@cache
def known() -> dict[str, tuple[str, Question]]:
    """What each authority knows: its policy file, and the ledger and root of its last question."""
    scenes = [make() for make in SCENES]
    return {f"{scene.authority} {scene.action}": (scene.policy, scene.question()) for scene in scenes}


def run_request(data: bytes) -> object:
    """A request as its authority reads it, with every rule of the policy."""
    request = read_request(data, SOURCE)
    default = known()["manifest release"]
    policy, asked = known().get(f"{request.index.authority} {request.index.action}", default)
    asked_now = ask(
        request,
        policy_data=policy.encode(),
        operators_data=write_operators(asked.operators),
        root=asked.root,
        ledger=asked.ledger,
        envelopes=[],
        custodian=asked.custodian,
        now=NOW,
    )
    return evaluate(asked_now)


def request_seeds() -> list[bytes]:
    files = []
    for make in SCENES:
        scene = make()
        request = scene.request()
        votes = {f"approvals/{number}.dsse.json": cast(request) for number, cast in enumerate(scene.ballots)}
        files.append(make_request(request.index, request.members | votes))
    return files


def response_seeds() -> list[bytes]:
    request = question().request
    key = SoftKey("soft", seeds.signer("soft")._private_key)  # type: ignore[arg-type]
    envelopes = [voter("alice", "engineering").vote(request)]
    return [response_file(answer(request, key, envelopes, NOW), envelopes)]


def run_approval(data: bytes) -> object:
    """Whatever an operator may have signed, as ``policy.reading`` takes it."""
    payload = read_envelope(data, SOURCE).payload
    return read_waiver(payload, SOURCE) if is_waiver(payload, SOURCE) else read_approval(payload, SOURCE)


def approval_seeds() -> list[bytes]:
    person, request = voter("alice", "engineering"), question().request
    return [person.vote(request), waiver(person)(request)]


def approval_mutator(data: bytes, dice: random.Random) -> bytes:
    """Change the statement inside the envelope as often as the envelope."""
    if dice.random() < 0.4:
        return json_mutator(data, dice)
    envelope = json.loads(data)
    try:
        statement = base64.b64decode(envelope["payload"])
    except (KeyError, TypeError) as error:
        raise ValueError("no payload") from error
    envelope["payload"] = base64.b64encode(json_mutator(statement, dice)).decode()
    return json.dumps(envelope).encode()
