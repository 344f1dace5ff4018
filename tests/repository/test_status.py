"""``status``: for people, for scripts, for a monitor."""

import json
import re
from datetime import timedelta

import pytest

from enigm_testkit.vendor import Vendor


@pytest.fixture
def published(gated: Vendor) -> Vendor:
    gated.done("release", "publish", "phone-1.0")
    return gated


def test_every_role_is_shown_with_what_it_needs(published: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    published.done("status")
    lines = capsys.readouterr().out.splitlines()
    (row,) = (line for line in lines if line.startswith("phone.payload"))
    assert re.fullmatch(r"phone\.payload +2 +[-0-9]+ [:0-9]+ +2 \(2\)", row)
    assert lines[1].startswith("timestamp"), "the first to expire stands first"
    assert lines[-1] == "nothing is open"


def test_a_monitor_hears_of_a_role_that_is_due_and_not_before(
    published: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    """A timestamp lives two days here, and is due in the last fifth of them."""
    life = timedelta(days=2)
    published.clock.advance(life * 4 / 5)
    assert published.run("status", "--monitor") == 0
    published.clock.advance(timedelta(seconds=1))
    assert published.run("status", "--monitor") == 3
    assert "got timestamp (due)" in capsys.readouterr().err
    published.clock.advance(life)
    assert published.run("status", "--monitor", "--json") == 3
    said = capsys.readouterr()
    assert "timestamp (expired)" in said.err
    roles = {item["role"]: item["due"] for item in json.loads(said.out)["roles"]}
    assert roles["timestamp"] == "expired"
    assert roles["root"] == ""


def test_metrics_are_in_prometheus_form(published: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    published.prepare_release("1.1")
    capsys.readouterr()
    published.done("status", "--prometheus")
    lines = capsys.readouterr().out.splitlines()
    name, labels, value = r"[a-z_]+", r'\{role="[a-z._-]+",owner="[a-z]+"\}', r"[0-9]+"
    form = re.compile(rf"# (HELP {name} .+|TYPE {name} gauge)|{name}({labels})? {value}")
    assert all(form.fullmatch(line) for line in lines)
    assert 'enigm_role_version{role="phone.payload",owner="release"} 2' in lines
    assert "enigm_open_records 1" in lines
    expires = published.clock.time + timedelta(days=2)
    assert f'enigm_role_expires_seconds{{role="timestamp",owner="freshness"}} {int(expires.timestamp())}' in lines
