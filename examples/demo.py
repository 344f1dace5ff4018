"""The whole flow with real parts: two releases from build to device, then seven attacks. Run by ``make demo``."""

import shutil
import sys
import tempfile
import time
from pathlib import Path

from examples.attacks import ATTACKS, Scene
from examples.device import Server, make_device
from examples.ota_build import BuildFarm, collect_files, open_build_farm
from examples.stage import Stage, open_stage
from examples.tutorial import commands_not_played
from examples.vendor import (
    AUTHORITIES,
    eight_steps,
    found_authorities,
    make_keys,
    take_stock,
    trust_root,
    write_policies,
    write_repository_configuration,
)

_RELEASE = """product = "phone"
channel = "stable"
release_notes = "https://enigm.example/notes/{version}"
minimum_client = "0.1.0"
mandatory = false
payloads = [{{file = "ota-{version}.zip"}}]
provenance = []
[rollout]
start = "2026-11-01T00:00:00Z"
stages = [{{after_hours = 0, percent = 100}}]
cohorts = []
halted = false
"""
RELEASES = (("1.0", "EN1A.261101", 1), ("1.1", "EN1A.261123", 2))


def main() -> int:
    """Exit status 0 only if both releases were installed and every attack was refused by its rule."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="enigm-demo-") as name, open_stage(Path(name)) as stage:
        installed, _ = play_releases(stage)
        refused = play_attacks(stage)
        unplayed = commands_not_played(stage.played)
    for command in unplayed:
        print(f"the tutorial shows a command that was not played: {command}")
    seconds = time.monotonic() - started
    print(f"\n{len(stage.played)} commands in {seconds:.0f} s")
    print(f"demo: {installed} releases installed, {refused} of {len(ATTACKS)} attacks refused")
    return 0 if (installed, refused, unplayed) == (len(RELEASES), len(ATTACKS), []) else 1


def play_releases(stage: Stage) -> tuple[int, BuildFarm]:
    """Steps 1 to 8 for root, product and both releases; a device installs each. How many did, and who built."""
    farm = open_build_farm(stage.folder / "build")
    prepare(stage, farm)
    device = stage.folder / "device"
    published = stage.folder / "repository" / "published"
    collect_files(stage.folder / "tree")
    installed = 0
    with Server(stage, published) as server:
        make_device(stage, device.name, published / "metadata/1.root.json", server.url)
        for number, (version, build_id, index) in enumerate(RELEASES, start=1):
            stage.say(f"Release {number}: build, prepare, approve, policy, sign, verify, gate, publish")
            prepare_release(stage, farm, version, build_id, index)
            eight_steps(stage, f"phone-{version}", AUTHORITIES)
            if number == 1:
                shutil.copytree(published, stage.folder / "old-tree")
            installed += install(stage, device, version)
    for authority in AUTHORITIES:
        stage.sign("audit", "verify", "--home", authority)
    return installed, farm


def prepare_release(stage: Stage, farm: BuildFarm, version: str, build_id: str, index: int) -> None:
    """Steps 1 and 2."""
    farm.build_ota(stage.folder / "tree", version, build_id, index)
    description = stage.folder / f"release-{version}.toml"
    description.write_text(_RELEASE.format(version=version))
    stage.repo("release", "prepare", "--config", str(description))


def prepare(stage: Stage, farm: BuildFarm) -> None:
    """The ceremony: keys, policies, root, product."""
    make_keys(stage)
    write_policies(stage)
    write_repository_configuration(stage, farm.artifact_rules(), found_authorities(stage))
    take_stock(stage)
    stage.say("Root: 2 of 3 keys on separate tokens")
    stage.repo("init", "--config", str(stage.folder / "repository.toml"))
    for authority in AUTHORITIES:
        stage.repo("operators", "put", str(stage.folder / f"{authority}.operators.json"))
    eight_steps(stage, "root-1", ["release"])
    trust_root(stage)
    stage.say("Product phone: a role for each authority")
    stage.repo("product", "add", "phone", "--channel", "stable")
    eight_steps(stage, "product-phone", AUTHORITIES)


def install(stage: Stage, device: Path, version: str) -> int:
    """The device checks, fetches and installs; 1 if the slot in use now holds ``version``."""
    stage.say(f"The device updates to {version}")
    for verb in ("check", "fetch", "install"):
        outcome = stage.update(device, verb)
        print(outcome.out.strip())
    return int((device / "slots/current/version").read_text().startswith(f"{version} "))


def play_attacks(stage: Stage) -> int:
    """Returns how many were refused by the rule that is there for it."""
    stage.say("Seven attacks, each with keys or servers in the wrong hands")
    published = stage.folder / "repository" / "published"
    scene = Scene(stage, published, stage.folder / "old-tree", stage.folder / "device")
    refused = 0
    for attack, expected in ATTACKS:
        stage.say(str(attack.__doc__))
        rule = attack(scene)
        verdict = "refused by" if rule == expected else f"NOT AS EXPECTED ({expected}):"
        print(f"  {verdict} {rule}")
        refused += rule == expected
    return refused


if __name__ == "__main__":
    sys.exit(main())
