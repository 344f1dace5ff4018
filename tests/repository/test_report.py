"""The report: what it says is what is published, nothing in it can act, and it looks right in a real browser."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from enigm_testkit.chromium import Picture, chromium
from enigm_testkit.vendor import Vendor
from enigm_tuf.model.request import RuleOutcome
from enigm_tuf.model.value import replace as replaced
from enigm_tuf_repository.report.changes import changes
from enigm_tuf_repository.report.drawing import in_words, place, stairs
from enigm_tuf_repository.report.facts import Facts, read_facts
from enigm_tuf_repository.report.gathering import gather
from enigm_tuf_repository.report.page import render


class Elements(HTMLParser):
    """Names of elements with their attributes, and the text that a person reads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture
def facts(gated: Vendor) -> Facts:
    """One release published, the next one prepared."""
    gated.done("release", "publish", "phone-1.0")
    gated.prepare_release("1.1", mandatory="true")
    return gather(gated.workspace, gated.clock.time)


def test_a_page_says_what_is_published_and_what_is_open(facts: Facts, gated: Vendor) -> None:
    assert {item.role for item in facts.roles} == {
        *("root", "timestamp", "snapshot", "targets", "phone.manifest", "phone.payload")
    }
    payload = next(item for item in facts.roles if item.role == "phone.payload")
    assert (payload.owner, payload.version, payload.threshold, len(payload.signers)) == ("release", 2, 2, 2)
    assert {key.custodian for key in facts.keys} == {key.name for group in gated.keys.values() for key in group}
    assert [release.version for item in facts.channels for release in item.releases] == ["1.0"]
    told = Elements(render(facts, None)).text
    for text in ("phone.manifest", "BUILD.1.0", "enigm-repo release attach phone-1.1 RESPONSE", "PAYLOAD-BYTES"):
        assert text in told
    assert "What changed" not in told


def test_a_page_needs_no_network_and_runs_nothing(facts: Facts) -> None:
    page = Elements(render(facts, facts))
    assert {attributes.get("type") for tag, attributes in page.found if tag == "script"} == {"application/json"}
    names = {name for _, attributes in page.found for name in attributes}
    assert not names & {"src", "href", "action", "srcset"}
    assert not {name for name in names if name.startswith("on")}
    assert not re.search(r"url\(|@import", render(facts, facts))


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "{{ 7 * 7 }}"])
def test_no_text_of_the_repository_becomes_markup(facts: Facts, text: str) -> None:
    (channel,) = facts.channels
    hostile = replace(
        facts,
        keys=tuple(replace(key, custodian=text) for key in facts.keys),
        channels=(replace(channel, releases=(replaced(channel.releases[0], release_notes=text),)),),
        records=tuple(replace(item, gates=(RuleOutcome("GATE", True, text),)) for item in facts.records),
    )
    honest, page = Elements(render(facts, None)), Elements(render(hostile, facts))
    assert {tag for tag, _ in page.found} <= {tag for tag, _ in honest.found} | {"ul", "li"}
    assert text in page.text
    assert read_facts(render(hostile, None).encode(), "page") == hostile


def test_the_next_report_says_what_changed(facts: Facts, gated: Vendor) -> None:
    assert changes(facts, facts) == ()
    gated.publish("phone-1.1")
    said = changes(facts, gather(gated.workspace, gated.clock.time))
    assert "new release phone/stable 1.1: build BUILD.1.1, 100 %, mandatory" in said
    assert "record phone-1.1: prepared → published" in said
    assert any(line.startswith("role phone.manifest: version 2") for line in said)
    assert not any("timestamp" in line for line in said)


def test_a_key_that_is_exchanged_is_seen(facts: Facts) -> None:
    keys = tuple(replace(key, words="a b c d") if key.custodian == "root-a" else key for key in facts.keys)
    said = changes(facts, replace(facts, keys=keys))
    assert any(line.startswith("signers of root: 2 of") and "a b c d" in line for line in said)
    assert "new key a b c d: ecdsa-p256, hsm, root-a" in said


def test_the_command_compares_with_the_page_that_it_replaces(
    gated: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    gated.done("report", "--out", str(page))
    gated.done("release", "publish", "phone-1.0")
    capsys.readouterr()
    gated.done("report", "--out", str(page), "--json")
    data = json.loads(capsys.readouterr().out)
    assert data["since"] == f"{gated.clock.time:%FT%TZ}"
    assert "new release phone/stable 1.0" in Elements(page.read_text()).text


@pytest.mark.parametrize(
    ("old", "error"),
    [
        ("<html></html>", "must be a page that `enigm-repo report` wrote"),
        ('<script type="application/json" id="facts">{"schema": 2}</script>', "schema"),
    ],
)
def test_another_file_is_not_taken_for_a_report_nor_replaced(
    gated: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, error: str
) -> None:
    page = tmp_path / "report.html"
    page.write_text(old)
    assert gated.run("report", "--out", str(page)) == 2
    assert error in capsys.readouterr().err
    assert page.read_text() == old


def test_nothing_published_is_said_in_one_line(
    new_vendor: Vendor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new_vendor.done("init", "--config", str(new_vendor.path / "repository.toml"))
    assert new_vendor.run("report", "--out", str(tmp_path / "report.html")) == 2
    assert "there is no root yet" in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()


def test_things_stand_where_they_belong(facts: Facts) -> None:
    assert place(-1) == 0
    assert place(0) < place(1) < place(7) < place(365) < place(1_095) == place(10_000) == 100
    assert in_words(timedelta(days=-3)) == "expired 3 days ago"
    plan = facts.channels[0].releases[0].rollout
    begun = stairs(plan, plan.start)
    assert begun.now is not None
    assert begun.points[1].x == pytest.approx(begun.now)
    assert stairs(plan, plan.start - timedelta(days=30)).now is None


@pytest.mark.slow
def test_a_browser_shows_it_in_light_and_dark_on_a_phone_and_on_paper(facts: Facts, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(render(facts, facts))
    light, dark = chromium(page, 1100, 2600), chromium(page, 1100, 2600, dark=True)
    assert light.brightness > 200 > 60 > dark.brightness
    for picture in (light, dark, phone := chromium(page, 420, 5200)):
        assert picture.colours > 100, "text and bars, not a blank page"
        assert picture.edge_is_plain, "nothing runs out of the page on the right"
    assert phone.width == 420
    assert Picture.pages(page, tmp_path / "report.pdf") >= 2
