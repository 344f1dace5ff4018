"""``enigm-repo request lint`` gives beforehand exactly the verdicts that the authority gives: rule by rule, for good
requests and for bad ones, with and without approvals."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.house import House, read, remake
from enigm_tuf.policy.engine import CATALOGUE
from enigm_tuf_repository.cli import Edges
from enigm_tuf_repository.cli import main as enigm_repo

Verdicts = list[tuple[str, bool]]


def verdicts(told: str) -> Verdicts:
    found: Any = json.loads(told)["rules"]
    return [(item["rule"], item["passed"]) for item in found]


def both(
    house: House, request: Path, approvals: list[object], capsys: pytest.CaptureFixture[str]
) -> tuple[Verdicts, Verdicts]:
    """What lint says, and what the authority says."""
    home = house.home(read(request).index.authority)
    capsys.readouterr()
    lint = ["request", "lint", str(request), *map(str, approvals), "--json"]
    enigm_repo([*lint, "--repository", str(house.path / "repository")], Edges(house.clock))
    linted = verdicts(capsys.readouterr().out)
    assert house.sign("request", "inspect", request, "--home", home, *approvals, "--json") == 0
    return linted, verdicts(capsys.readouterr().out)


def expired(house: House, request: Path) -> Path:
    house.clock.time = read(request).index.expires
    return request


CHANGES: dict[str, Callable[[House, Path], Path]] = {
    "as it is": lambda _, request: request,
    "of another environment": lambda house, request: remake(
        request, house.path / "x.enigmreq", environment="production"
    ),
    "by nobody": lambda house, request: remake(request, house.path / "x.enigmreq", requester="mallory"),
    "for another action": lambda house, request: remake(request, house.path / "x.enigmreq", action="emergency"),
    "too long alive": lambda house, request: remake(
        request, house.path / "x.enigmreq", expires=read(request).index.created + timedelta(hours=73)
    ),
    "expired": expired,
}


@pytest.mark.parametrize("change", CHANGES)
def test_of_a_first_root(house: House, change: str, capsys: pytest.CaptureFixture[str]) -> None:
    request = CHANGES[change](house, house.request("root-1"))
    linted, inspected = both(house, request, [], capsys)
    assert [rule for rule, _ in linted] == [str(rule) for rule, _ in CATALOGUE]
    assert linted == inspected


@pytest.mark.parametrize("authority", ["release", "manifest"])
def test_of_a_product_before_and_after_it_is_approved(
    rooted: House, authority: str, capsys: pytest.CaptureFixture[str]
) -> None:
    request = rooted.request("product-phone", authority)
    inspected: Verdicts = []
    for approvals in ([], rooted.votes(request), ["--approval", rooted.vote(request, "bob", "reject")]):
        linted, inspected = both(rooted, request, approvals, capsys)
        assert linted == inspected
    assert ("QUORUM-VETO", False) in inspected
