"""Who stands round the signing: the CI that asks, the workstation that carries files, one operator who approves."""

import json

from enigm_testkit.custodians import Voter, soft_key
from enigm_tuf.model.request import SigningRequest, make_request, read_request
from enigm_tuf.model.strict_json import canonical
from enigm_tuf.model.words import last_words
from examples.attacks import Scene, rule_of
from examples.drills.shape import IN_FLIGHT, Attempt, Drill
from examples.stage import hsm
from examples.vendor import approve

_IN_FLIGHT = f"repository/records/{IN_FLIGHT}/requests/release.enigmreq"
_SHIPPED = "repository/records/phone-1.1/requests/release.enigmreq"
_APPROVED = ("phone-1.1.release.alice.dsse.json", "phone-1.1.release.bob.dsse.json")


def attempt_to_sign(scene: Scene, request: str, *ballots: str) -> str:
    """A custodian who signs whatever lies before them; the rule that refused."""
    options = ["--home", "release", "--token", hsm("payload-a"), "--label", "payload"]
    options += [part for ballot in ballots for part in ("--approval", ballot)]
    typed = {"last four words": last_words(read_request((scene.stage.folder / request).read_bytes(), request).digest)}
    out = f"attempt-{len(scene.stage.played)}.enigmresp"
    return rule_of(scene.stage.sign("sign", request, *options, "--out", out, answers=typed, status=3).err)


def vote(scene: Scene, name: str, request: str, verb: str = "approve") -> str:
    """One operator's decision; the file's name."""
    out = f"drill-{len(scene.stage.played)}.dsse.json"
    approve(scene.stage, request, "release", name, out, verb=verb)
    return out


def _no_approval(scene: Scene) -> str:
    return attempt_to_sign(scene, _IN_FLIGHT)


def _approvals_of_another_release(scene: Scene) -> str:
    return attempt_to_sign(scene, _IN_FLIGHT, *_APPROVED)


def _request_once_more(scene: Scene) -> str:
    return attempt_to_sign(scene, _SHIPPED, *_APPROVED)


def _downgrade(scene: Scene) -> str:
    """The request that CI makes for itself: what release 1.1 offers, for as long as 1.2, under the numbers of 1.2."""
    shipped, waiting = (_read(scene, name) for name in (_SHIPPED, _IN_FLIGHT))
    (old,), (new,) = (_payloads(request) for request in (shipped, waiting))
    role = json.loads(shipped.members[old]) | {"expires": json.loads(waiting.members[new])["expires"]}
    members = {path: data for path, data in waiting.members.items() if path != new} | {old: canonical(role)}
    return attempt_to_sign(scene, _write(scene, "downgrade.enigmreq", waiting, members))


def _swapped_after_approval(scene: Scene) -> str:
    ballots = [vote(scene, name, _IN_FLIGHT) for name in ("alice", "bob")]
    request = _read(scene, _IN_FLIGHT)
    (name,) = _payloads(request)
    role = json.loads(request.members[name])
    target = max(role["targets"])
    role["targets"][target]["hashes"]["sha256"] = "ab" * 32
    swapped = _write(scene, "swapped.enigmreq", request, dict(request.members) | {name: canonical(role)})
    return attempt_to_sign(scene, swapped, *ballots)


def _other_words(scene: Scene) -> str:
    """The workstation shows alice a request of its own; she types that one's words at the air-gapped side."""
    out, other = f"drill-{len(scene.stage.played)}.dsse.json", last_words("ab" * 32)
    return rule_of(approve(scene.stage, _IN_FLIGHT, "release", "alice", out, words=other, status=3).err)


def _forged_approval(scene: Scene) -> str:
    """An approval in bob's name by a key that nobody enrolled, beside alice's real one."""
    request = _read(scene, _IN_FLIGHT)
    forged = scene.stage.folder / "forged.dsse.json"
    forged.write_bytes(Voter("bob", "security", soft_key("a key of the attacker")).vote(request))
    return attempt_to_sign(scene, _IN_FLIGHT, vote(scene, "alice", _IN_FLIGHT), forged.name)


def _alone(scene: Scene) -> str:
    return attempt_to_sign(scene, _IN_FLIGHT, vote(scene, "alice", _IN_FLIGHT))


def _twice(scene: Scene) -> str:
    return attempt_to_sign(scene, _IN_FLIGHT, *(vote(scene, "alice", _IN_FLIGHT) for _ in range(2)))


def _as_somebody_else(scene: Scene) -> str:
    out = f"drill-{len(scene.stage.played)}.dsse.json"
    outcome = approve(scene.stage, _IN_FLIGHT, "release", "bob", out, card="alice", status=3)
    return rule_of(outcome.err)


def _veto(scene: Scene) -> str:
    ballots = [vote(scene, name, _IN_FLIGHT) for name in ("alice", "bob")]
    return attempt_to_sign(scene, _IN_FLIGHT, *ballots, vote(scene, "alice", _IN_FLIGHT, "reject"))


def _read(scene: Scene, name: str) -> SigningRequest:
    return read_request((scene.stage.folder / name).read_bytes(), name)


def _payloads(request: SigningRequest) -> list[str]:
    return [path for path in request.members if path.startswith("payloads/")]


def _write(scene: Scene, name: str, like: SigningRequest, members: dict[str, bytes]) -> str:
    (scene.stage.folder / name).write_bytes(make_request(like.index, members))
    return name


CI = Drill(
    "CI",
    "the identity that prepares requests, and every artifact that it builds",
    (
        Attempt("a request that nobody approved", _no_approval, "QUORUM-COUNT"),
        Attempt("with the approvals of the release before", _approvals_of_another_release, "QUORUM-COUNT"),
        Attempt("the request of the release before, with its approvals", _request_once_more, "REQUEST-REPLAY"),
        Attempt("a request that goes back to the release before", _downgrade, "REQUEST-PREVIOUS"),
    ),
)
WORKSTATION = Drill(
    "release workstation",
    "the files on their way between repository, operators and tokens",
    (
        Attempt("a payload swapped after the approvals", _swapped_after_approval, "QUORUM-COUNT"),
        Attempt("another request shown than the one approved", _other_words, "CONFIRM-WORDS"),
        Attempt("an approval by a key that nobody enrolled", _forged_approval, "APPROVAL-AUTHENTIC"),
    ),
)
OPERATOR = Drill(
    "one operator",
    "alice's card, its PIN, and alice",
    (
        Attempt("approves alone", _alone, "QUORUM-COUNT"),
        Attempt("approves twice", _twice, "QUORUM-COUNT"),
        Attempt("approves in bob's name", _as_somebody_else, "APPROVER-KEY"),
    ),
    (Attempt("stops a release by a rejection, which is in the log with her name", _veto, "QUORUM-VETO"),),
)
