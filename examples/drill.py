"""A party of the signing flow falls into an attacker's hands, one after another. Run by ``make drill``.

Against a running set-up with two releases out and a third being signed. Ends with that release published all the same.
"""

import re
import sys
import tempfile
import time
from pathlib import Path

from examples.attacks import Scene
from examples.demo import play_releases, prepare_release
from examples.drills.root_token import ROOT_TOKEN
from examples.drills.shape import IN_FLIGHT, Drill
from examples.drills.signing import CI, OPERATOR, WORKSTATION
from examples.drills.tree import MANIFEST_QUORUM, PAYLOAD_QUORUM, REPOSITORY, offered
from examples.stage import open_stage
from examples.vendor import finish

DRILLS = (CI, WORKSTATION, OPERATOR, MANIFEST_QUORUM, PAYLOAD_QUORUM, REPOSITORY, ROOT_TOKEN)
PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "drills.md"


def main() -> int:
    """Exit status 0 only if every attempt ended as its drill says, and docs/explanation/drills.md shows this table."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="enigm-drill-") as name, open_stage(Path(name)) as stage:
        farm = play_releases(stage)[1]
        published = stage.folder / "repository" / "published"
        scene = Scene(stage, published, stage.folder / "old-tree", stage.folder / "device")
        prepare_release(stage, farm, "1.2", "EN1A.261126", 3)
        ended = [play(scene, drill) for drill in DRILLS if drill is not ROOT_TOKEN]
        stage.say("After all that: the release that was being signed is published")
        finish(stage, IN_FLIGHT)
        ended.append(play(scene, ROOT_TOKEN))
        last = offered(scene, published)
        print(f"  a new device is offered {last}")
    print("\n" + table())
    shown = table() in PAGE.read_text()
    if not shown:
        print(f"{PAGE} shows another table")
    attempts = [attempt for drill in DRILLS for attempt in drill.attempts()]
    print(
        f"\ndrill: {sum(ended)} of {len(attempts)} attempts ended as they must, in {time.monotonic() - started:.0f} s"
    )
    return 0 if (sum(ended), last, shown) == (len(attempts), "1.2", True) else 1


def play(scene: Scene, drill: Drill) -> int:
    """How many of its attempts ended as they must."""
    scene.stage.say(f"Compromised: {drill.party}. In hand: {drill.hands}")
    good = 0
    for attempt in drill.attempts():
        outcome = attempt.play(scene)
        expected = "" if outcome == attempt.outcome else f", NOT {attempt.outcome}"
        print(f"  {attempt.tried}: {outcome}{expected}")
        good += outcome == attempt.outcome
    return good


def table() -> str:
    """What docs/explanation/drills.md shows."""
    rows = ["| compromised | in hand | tried: refused by | what the attacker gets |", "|---|---|---|---|"]
    for drill in DRILLS:
        refused = "<br>".join(f"{item.tried}: {_rules(item.outcome)}" for item in drill.refused)
        gets = "<br>".join(f"{item.tried} ({_rules(item.outcome)})" for item in drill.gets) or "nothing"
        rows.append(f"| {drill.party} | {drill.hands} | {refused} | {gets} |")
    return "\n".join(rows)


def _rules(outcome: str) -> str:
    return re.sub(r"\b[A-Z]+(-[A-Z]+)+\b", r"`\g<0>`", outcome)


if __name__ == "__main__":
    sys.exit(main())
