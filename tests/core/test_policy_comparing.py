"""Two policies compared: each field has a direction, and no field can be without one."""

import pytest

from enigm_testkit.builders import Maker
from enigm_testkit.requests import QUORUM, policy_toml
from enigm_testkit.waivers import WAIVER_TERMS
from enigm_tuf.errors import MisuseError
from enigm_tuf.model.policy import Policy, read_policy
from enigm_tuf.policy.catalogue import FIELDS
from enigm_tuf.policy.comparing import CLASSES, FIXED, compare, needed_quorum, patterns
from enigm_tuf.policy.rules.quorum import QuorumRule

ONE, TWO, THREE, FOUR = (Maker(name) for name in ("one", "two", "three", "four"))
SIGNERS = [f'{{id = "{maker.id}", keys = ["{maker.public}"]}}' for maker in (ONE, TWO)]
REVIEWERS = [f'{{id = "{maker.id}", keys = ["{maker.public}"]}}' for maker in (THREE, FOUR)]
PROVED = (
    '[source]\nunproved = []\n[[source.products]]\nproduct = "phone"\nrepository = "git+https://one"\n'
    f'refs = ["a", "b"]\nbuilders = [{", ".join(SIGNERS)}]\nreviewers = [{", ".join(REVIEWERS)}]\nrebuilds = 1'
)
TESTED = (
    f'[gate]\nuntested = []\n[[gate.products]]\nproduct = "phone"\ntesters = [{", ".join(SIGNERS)}]\n'
    "maximum_age_hours = 24"
)
FREEZE = '{start = "2026-12-24T00:00:00Z", end = "2026-12-27T00:00:00Z", actions = ["release"], reason = "x"}'
WEEKLY = '{zone = "Europe/Zurich", start = "fri 16:00", end = "mon 07:00", actions = ["release"], reason = "x"}'
FULL = (
    (
        policy_toml("release")
        .replace('[source]\nunproved = ["*"]\nproducts = []', PROVED)
        .replace('[gate]\nuntested = ["*"]\nproducts = []', TESTED)
        .replace("\nfreezes = []", f"\nfreezes = [{FREEZE}]")
        .replace("weekly_freezes = []", f"weekly_freezes = [{WEEKLY}]")
        .replace("attested = []", 'attested = ["piv"]')
        .replace('piv_firmware = "0"', 'piv_firmware = "5.7.0"')
        .replace("emergency = 0, policy = 0", "emergency = 4, policy = 4")
    )
    + "\n[backup]\nrestore_proof_days = 90\n"
    + WAIVER_TERMS
)
"""A policy in which every section says something."""


def read(text: str) -> Policy:
    return read_policy(text.encode(), "policy")


def test_every_field_that_a_policy_can_have_has_a_direction() -> None:
    fields = set(patterns()) | {"schema"}
    assert fields == {*CLASSES, *FIXED, "version"}


def test_the_same_policy_differs_in_nothing() -> None:
    assert compare(read(FULL), read(FULL)) == ()


CHANGES = [
    ("request_hours = 72", "request_hours = 71", "tighten", "request_hours"),
    ("[actions.root]\napprovals = 2", "[actions.root]\napprovals = 3", "tighten", "actions.root.approvals"),
    (f"[actions.recovery]\n{QUORUM}", "", "tighten", "actions.recovery.approvals"),
    (
        f"[actions.root]\n{QUORUM}",
        f"[actions.root]\n{QUORUM.replace('security', 'executive')}",
        "relax",
        "actions.root.partitions",
    ),
    ("[expiry.root]\nminimum = 1", "[expiry.root]\nminimum = 2", "tighten", "expiry.root.minimum"),
    (
        "[expiry.root]\nminimum = 1\nmaximum = 400",
        "[expiry.root]\nminimum = 1\nmaximum = 399",
        "tighten",
        "expiry.root.maximum",
    ),
    ("\npayload = 2", "\npayload = 3", "tighten", "thresholds.payload"),
    ("\npayload = 2", "\npayload = 2\ntargets = 2", "tighten", "thresholds.targets"),
    ('piv_firmware = "5.7.0"', 'piv_firmware = "5.10.0"', "tighten", "key.piv_firmware"),
    ('attested = ["piv"]', 'attested = ["piv", "hsm"]', "tighten", "key.attested"),
    ("unproved = []", 'unproved = ["tablet"]', "relax", "source.unproved"),
    ("untested = []", 'untested = ["tablet"]', "relax", "gate.untested"),
    ("git+https://one", "git+https://two", "relax", "source.products.phone.repository"),
    ('refs = ["a", "b"]', 'refs = ["a"]', "tighten", "source.products.phone.refs"),
    (f"builders = [{', '.join(SIGNERS)}]", f"builders = [{SIGNERS[0]}]", "tighten", "source.products.phone.builders"),
    (
        f"reviewers = [{', '.join(REVIEWERS)}]",
        f"reviewers = [{REVIEWERS[0]}]",
        "tighten",
        "source.products.phone.reviewers",
    ),
    ("rebuilds = 1", "rebuilds = 2", "tighten", "source.products.phone.rebuilds"),
    (f"testers = [{', '.join(SIGNERS)}]", f"testers = [{SIGNERS[0]}]", "tighten", "gate.products.phone.testers"),
    ("maximum_age_hours = 24", "maximum_age_hours = 23", "tighten", "gate.products.phone.maximum_age_hours"),
    ("relax_delay_hours = 0", "relax_delay_hours = 1", "tighten", "time.relax_delay_hours"),
    ("cool_down_hours = {root = 0", "cool_down_hours = {root = 1", "tighten", "time.cool_down_hours.root"),
    (f"\nfreezes = [{FREEZE}]", "\nfreezes = []", "relax", "time.freezes"),
    (f"[{FREEZE}]", f"[{FREEZE.replace('2026-12-27', '2026-12-28')}]", "tighten", "time.freezes"),
    (f"[{WEEKLY}]", "[]", "relax", "time.weekly_freezes"),
    (f"[{WEEKLY}]", f"[{WEEKLY}, {WEEKLY.replace('fri', 'wed')}]", "tighten", "time.weekly_freezes"),
    (f"[{WEEKLY}]", f"[{WEEKLY.replace('16:00', '15:59')}]", "tighten", "time.weekly_freezes"),
    (f"[{WEEKLY}]", f"[{WEEKLY.replace('16:00', '16:01')}]", "relax", "time.weekly_freezes"),
    (f"[{WEEKLY}]", "[" + WEEKLY.replace("[", '["product", ') + "]", "tighten", "time.weekly_freezes"),
    ("signatures_per_session = 100", "signatures_per_session = 99", "tighten", "rate.signatures_per_session"),
    ("signatures_per_day = 10000", "signatures_per_day = 9999", "tighten", "rate.signatures_per_day"),
    ("open_hours = {root = 0", "open_hours = {root = 12", "tighten", "ceremony.open_hours.root"),
    ("emergency = 4, policy", "emergency = 3, policy", "tighten", "ceremony.open_hours.emergency"),
    ("restore_proof_days = 90", "restore_proof_days = 89", "tighten", "backup.restore_proof_days"),
    ("\n[backup]\nrestore_proof_days = 90\n", "", "tighten", "backup.restore_proof_days"),
    ("[waiver]\napprovals = 2", "[waiver]\napprovals = 3", "tighten", "waiver.approvals"),
    ('"security"]\nrules', '"security", "qa"]\nrules', "tighten", "waiver.partitions"),
    ('rules = ["GATE-TESTS", ', 'rules = ["GATE-TESTS", "RATE-DAY", ', "relax", "waiver.rules"),
]


def test_a_window_in_another_zone_is_another_window() -> None:
    """The clocks agree today."""
    (change,) = compare(read(FULL), read(FULL.replace("Europe/Zurich", "Europe/Vienna")))
    assert (change.path, change.direction) == ("time.weekly_freezes", "relax")


def last(text: str, old: str, new: str) -> str:
    """The last place changed: the section of ceremonies comes after that of times, which looks alike."""
    head, found, tail = text.rpartition(old)
    assert found
    return head + new + tail


@pytest.mark.parametrize(("old", "new", "direction", "path"), CHANGES)
def test_a_change_and_its_opposite_have_opposite_directions(old: str, new: str, direction: str, path: str) -> None:
    text = last(FULL, old, new)
    there = {change.path: change.direction for change in compare(read(FULL), read(text))}
    back = {change.path: change.direction for change in compare(read(text), read(FULL))}
    assert there[path] == direction
    if path not in ("source.products.phone.repository", "actions.root.partitions"):  # other, neither more nor less
        assert {there[path], back[path]} == {"tighten", "relax"}
    else:
        assert back[path] == "relax"


def test_every_direction_is_tried() -> None:
    tried = {path for *_, path in CHANGES}
    fields = {pattern.replace(".*", "") for pattern in CLASSES}
    names = {".".join(part for part in path.split(".") if part not in {"root", "phone", "emergency"}) for path in tried}
    names = {name.replace("expiry.payload", "expiry").replace("actions.recovery", "actions") for name in names}
    names = {"thresholds" if name.startswith("thresholds") else name for name in names}
    assert fields == names


@pytest.mark.parametrize("action", ["emergency", "policy"])
def test_a_ceremony_that_is_not_demanded_any_more_is_relaxed_although_0_is_less(action: str) -> None:
    text = last(FULL, f"{action} = 4, ", f"{action} = 0, ")
    (change,) = compare(read(FULL), read(text))
    assert (change.before, change.after, change.direction) == (4, 0, "relax")


def test_a_product_whose_builds_were_excepted_is_tightened_by_a_demand() -> None:
    plain = FULL.replace(PROVED, '[source]\nunproved = ["phone"]\nproducts = []')
    assert {item.direction for item in compare(read(plain), read(FULL))} == {"tighten"}
    assert {item.direction for item in compare(read(FULL), read(plain))} == {"relax"}


def test_a_product_of_which_nothing_was_known_was_refused() -> None:
    plain = FULL.replace(PROVED, "[source]\nunproved = []\nproducts = []")
    assert {item.direction for item in compare(read(plain), read(FULL))} == {"relax"}
    assert {item.direction for item in compare(read(FULL), read(plain))} == {"tighten"}


def test_each_change_names_the_rules_that_read_it() -> None:
    text = FULL.replace("[actions.root]\napprovals = 2", "[actions.root]\napprovals = 3")
    (change,) = compare(read(FULL), read(text))
    assert change.rules[-1] is QuorumRule.QUORUM_COUNT
    assert all(rule in FIELDS for rule in change.rules)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('environment = "staging"', 'environment = "production"'),
        ('operators_sha256 = "', 'operators_sha256 = "00000000'),
    ],
)
def test_what_no_policy_changes_is_refused(old: str, new: str) -> None:
    text = FULL.replace(old, new)
    if "operators" in old:
        line = next(line for line in FULL.splitlines() if line.startswith("operators_sha256"))
        text = FULL.replace(line, f'operators_sha256 = "{"0" * 64}"')
    with pytest.raises(MisuseError, match="no later policy changes it"):
        compare(read(FULL), read(text))


@pytest.mark.parametrize(
    ("changes", "approvals", "partitions"),
    [
        ([("request_hours = 72", "request_hours = 71")], 2, ["engineering", "security"]),
        ([("[actions.root]\napprovals = 3", "[actions.root]\napprovals = 2")], 3, ["engineering", "security"]),
        ([("[actions.release]\napprovals = 2", "[actions.release]\napprovals = 1")], 2, ["engineering", "security"]),
        ([("signatures_per_day = 10000", "signatures_per_day = 9999")], 2, ["engineering", "security"]),
        ([("signatures_per_day = 9999", "signatures_per_day = 10000")], 3, ["engineering", "security"]),
    ],
)
def test_who_relaxes_needs_the_quorum_of_what_is_relaxed(
    changes: list[tuple[str, str]], approvals: int, partitions: list[str]
) -> None:
    """Root asks for three, everything else for two: what concerns all actions concerns root."""
    text = FULL.replace("[actions.root]\napprovals = 2", "[actions.root]\napprovals = 3")
    old, new = changes[0]
    text = text.replace("signatures_per_day = 10000", old) if old.startswith("signatures_per_day") else text
    assert old in text
    before, after = read(text), read(text.replace(old, new))
    quorum = needed_quorum(before, compare(before, after))
    assert (quorum.approvals, list(quorum.partitions)) == (approvals, partitions)
