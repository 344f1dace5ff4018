"""NEGATIVE-CLIENT: before anything is published, the device's own client must refuse the staged tree under attack."""

import tempfile
from pathlib import Path

from enigm_tuf.errors import EnigmTufError, RefusedError
from enigm_tuf.ports import Fetcher
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.negative.attacks import ATTACKS, Attack
from enigm_tuf_repository.negative.scene import Scene, Trick, set_scene
from enigm_tuf_repository.overlay import OverlayFetcher
from enigm_tuf_repository.rules import RepositoryRule


class NegativeClient:
    """Plays every attack that makes sense on the record, one after the other, on real files."""

    rule = RepositoryRule.NEGATIVE_CLIENT
    proves = (
        "The device client of this version accepts the tree as it will be published, and refuses it, each time by the "
        "rule that is there for it, under every attack of whoever owns the server and no key: rollback of each role, "
        "freeze, a clock set back, mix and match, another role's file, a dropped delegation, changes without "
        "signature, foreign and missing signatures, a forged root, a root without consent, endless and cut data, "
        "swapped, changed and cut payloads, a replayed release, a device above it, a device elsewhere."
    )
    does_not_prove = "Anything about clients of other versions, or about attackers with keys: see docs/assurance.md."

    def applies(self, context: GateContext) -> str:
        """To everything that a device could be served."""
        return "" if "timestamp" in context.roles else "nothing is served yet: there is no snapshot"

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError NEGATIVE-CLIENT names the attack and what the device said to it."""
        scene = set_scene(context)
        refused: dict[str, str] = {}
        if scene is not None:
            for done, attack in enumerate(ATTACKS, start=1):
                verdict = self._verdict(attack, scene)
                refused |= {attack.name: verdict} if verdict else {}
                progress(done, len(ATTACKS))
        left_out = sorted(attack.name for attack in ATTACKS if attack.name not in refused)
        told = f"; make no sense here: {', '.join(left_out)}" if left_out else ""
        return Evidence(f"{len(refused)} attacks refused, each by its rule{told}", {"refused_by": refused})

    def _verdict(self, attack: Attack, scene: Scene) -> str:
        """What the device said, if it is what it must say; empty where the attack makes no sense."""
        trick = attack.play(scene)
        if trick is None:
            return ""
        with tempfile.TemporaryDirectory(dir=scene.trees[0].parent) as folder:
            said = _played(trick, scene, Path(folder))
        verdict, _, _ = said.partition(": ")
        if verdict not in attack.refused_by:
            expected = f"the device to refuse it by {' or '.join(attack.refused_by)}"
            raise RefusedError(self.rule, f"attack: {attack.name}", expected=expected, got=said)
        return verdict


def _played(trick: Trick, scene: Scene, folder: Path) -> str:
    """What the device says of what the attacker serves: a rule's ID or an error's class, with its message."""
    fetcher = _server(trick, scene, folder / "served")
    try:
        trick.device.refresh(fetcher)
        if trick.takes_payload and scene.payload:
            trick.device.receive(fetcher, scene.payload, folder / "payload")
    except RefusedError as refusal:
        return str(refusal)
    except EnigmTufError as error:
        return f"{type(error).__name__}: {error}"
    return "accepted: the device took what it was served"


def _server(trick: Trick, scene: Scene, folder: Path) -> Fetcher:
    """The attacker's files, laid over the staged and the published tree."""
    for path, data in trick.files.items():
        _place(folder / path).write_bytes(data)
    for path, length in trick.holes.items():
        with _place(folder / path).open("wb") as file:
            file.truncate(length)
    return trick.through(OverlayFetcher((folder, *scene.trees)))


def _place(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


GATE = NegativeClient()
