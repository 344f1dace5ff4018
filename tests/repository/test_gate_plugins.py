"""Gates are plug-ins that can be added and never taken away, and each leaves a statement that publication reads."""

import json
import shutil
import sys
import tomllib
from collections.abc import Callable, Mapping
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.vendor import Vendor
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import GROUP, GateResult, Verdict
from enigm_tuf_repository.gates.pinned import PINNED_GATES
from enigm_tuf_repository.gates.plugins import gates_of, installed_gates
from enigm_tuf_repository.gates.running import run_gates
from enigm_tuf_repository.gating import gate_context

PROJECT = Path(__file__).parents[2] / "repository" / "pyproject.toml"
FOREIGN = """
from enigm_tuf.errors import RefusedError
from enigm_tuf.trust.rules import Rule
from enigm_tuf_repository.gates.gate import Evidence

class Theirs(Rule):
    RULE = "{id}", "what {id} demands"

class Gate:
    rule = Theirs.RULE
    proves = "something"
    does_not_prove = "something else"
    def applies(self, context):
        return ""
    def run(self, context, progress):
        {body}

GATE = Gate()
"""


@pytest.fixture
def context(gated: Vendor) -> GateContext:
    """Of a release that passes every gate."""
    return gate_context(gated.workspace, gated.record("phone-1.0"), gated.clock.now())


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a distribution with one gate, as a wheel would be."""
    monkeypatch.syspath_prepend(str(tmp_path / "site"))

    def install(name: str, body: str = 'return Evidence("looked")', module: str = "", own: str = "") -> None:
        folder = tmp_path / "site" / f"vendor_{name.lower().replace('-', '_')}-2.5.dist-info"
        folder.mkdir(parents=True)
        module = module or f"vendor_gate_{len(list(folder.parent.iterdir()))}"
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vendor-{name.lower()}\nVersion: 2.5\n")
        (folder / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {module}:GATE\n")
        (folder.parent / f"{module}.py").write_text(FOREIGN.format(id=own or name, body=body))
        sys.modules.pop(module, None)

    return install


def results_of(context: GateContext) -> Mapping[str, GateResult]:
    return {result.rule: result for result in run_gates(context)}


def test_what_is_pinned_is_what_the_distribution_registers_and_nothing_else() -> None:
    project = tomllib.loads(PROJECT.read_text())
    assert project["project"]["entry-points"][GROUP] == dict(PINNED_GATES)


@pytest.mark.rule("GATE-SET", "accept")
def test_what_is_installed_holds_every_pinned_gate() -> None:
    found = installed_gates()
    assert found.trouble == ()
    assert [str(plugin.gate.rule) for plugin in found.plugins] == list(PINNED_GATES)


@pytest.mark.rule("GATE-SET", "reject")
@pytest.mark.parametrize("missing", PINNED_GATES)
def test_a_pinned_gate_that_is_not_installed_is_refused_and_the_others_run(context: GateContext, missing: str) -> None:
    theirs = [point for point in _registered() if point.name != missing]

    found = gates_of(theirs)
    results = {result.rule: result for result in run_gates(context, found)}

    assert results["GATE-SET"].verdict is Verdict.FAIL
    assert results["GATE-SET"].summary == f"{missing}: no such gate is installed"
    assert set(results) == {"GATE-SET", *PINNED_GATES} - {missing}


def test_a_pinned_gate_that_does_not_load_is_refused() -> None:
    others = [point for point in _registered() if point.name != "TEST-KEY"]
    value = PINNED_GATES["TEST-KEY"]
    broken = _point("TEST-KEY", value, "enigm-tuf-repository")
    object.__setattr__(broken, "load", lambda: 1 / 0)

    assert gates_of([*others, broken]).trouble == (
        "TEST-KEY of enigm-tuf-repository: does not load: ZeroDivisionError: division by zero",
        "TEST-KEY: no such gate is installed",
    )


@pytest.mark.parametrize(
    ("value", "owner"),
    [
        ("enigm_tuf_repository.gates.expiry_horizon:GATE", "enigm-tuf-repository"),
        ("enigm_tuf_repository.gates.test_key:GATE", "somebody-else"),
    ],
)
def test_a_pinned_gate_from_another_place_is_not_the_pinned_gate(value: str, owner: str) -> None:
    others = [point for point in _registered() if point.name != "TEST-KEY"]

    assert gates_of([*others, _point("TEST-KEY", value, owner)]).trouble == (
        f"TEST-KEY of {owner}: that ID belongs to another gate",
        "TEST-KEY: no such gate is installed",
    )


def test_a_foreign_gate_runs_beside_the_pinned_ones(context: GateContext, plugin: Callable[..., None]) -> None:
    plugin("VENDOR-LOOKS", 'progress(1, 2); return Evidence("looked", {"files": 2})')

    result = results_of(context)["VENDOR-LOOKS"]

    assert result.verdict is Verdict.PASS
    assert (result.summary, result.facts) == ("looked", {"files": 2})
    assert (result.distribution, result.version) == ("vendor-vendor-looks", "2.5")


@pytest.mark.parametrize(
    ("body", "summary"),
    [
        (
            'raise RefusedError("VENDOR-SAYS-NO", "it", expected="a", got="b")',
            "VENDOR-SAYS-NO: it: expected a, got b",
        ),
        ("return 1 // 0", "the gate itself failed, ZeroDivisionError: integer division or modulo by zero"),
        ("raise SystemExit(0)", "the gate itself failed, SystemExit: 0"),
        ("return True", "the gate itself failed, AttributeError: 'bool' object has no attribute 'facts'"),
        ('return Evidence("a\\nb", {"half": 0.5})', "facts of VENDOR-SAYS-NO: no fractions or exponents, got 0.5"),
        ('return Evidence("a", {}, ("/etc/passwd",))', "VENDOR-SAYS-NO: subjects: expected files of the record"),
    ],
)
def test_whatever_goes_wrong_in_a_gate_is_its_own_failure(
    context: GateContext, plugin: Callable[..., None], body: str, summary: str
) -> None:
    plugin("VENDOR-SAYS-NO", body)

    results = results_of(context)

    assert results["VENDOR-SAYS-NO"].summary.startswith(summary)
    assert [rule for rule, result in results.items() if not result.passed] == ["VENDOR-SAYS-NO"]


@pytest.mark.parametrize(
    ("name", "own", "trouble"),
    [
        ("PAYLOAD-BYTES", "", "PAYLOAD-BYTES of vendor-payload-bytes: that ID belongs to another gate"),
        ("VENDOR-GATE", "OTHER", "VENDOR-GATE of vendor-vendor-gate: the gate calls itself OTHER"),
        ("vendor", "", "vendor of vendor-vendor: an ID is capitals, digits and single hyphens, at most 60 long"),
    ],
)
def test_a_foreign_plug_in_that_is_no_gate_of_its_own_refuses_the_release(
    context: GateContext, plugin: Callable[..., None], name: str, own: str, trouble: str
) -> None:
    plugin(name, own=own)

    results = results_of(context)

    assert results["GATE-SET"].summary == trouble
    assert results["PAYLOAD-BYTES"].distribution == "enigm-tuf-repository"


def test_a_foreign_gate_can_be_required_and_is_then_missed(gated: Vendor, context: GateContext) -> None:
    config = gated.workspace.configuration_file
    config.write_text('also_required_gates = ["VENDOR-LOOKS"]\n' + config.read_text())

    assert results_of(context)["GATE-SET"].summary == "VENDOR-LOOKS: no such gate is installed"


def test_each_gate_leaves_a_statement_about_the_files_that_it_judged(gated: Vendor) -> None:
    folder = gated.workspace.record("phone-1.0")
    digests = _record(gated)["steps"][-1]["digests"]

    assert {path.stem for path in (folder / "gates").iterdir()} == {"GATE-SET", *PINNED_GATES}
    for path in (folder / "gates").iterdir():
        statement = json.loads(path.read_bytes())
        assert statement["_type"] == "https://in-toto.io/Statement/v1"
        assert statement["predicate"]["verificationResult"] in {"PASSED", "NOT_APPLICABLE"}
        assert statement["predicate"]["verifier"]["version"] == {"enigm-tuf-repository": "0.1.0"}
        assert statement["subject"]
        assert all(digests[item["name"]] == item["digest"]["sha256"] for item in statement["subject"])
        assert f"gates/{path.name}" in digests


@pytest.mark.parametrize("gate", ["PAYLOAD-BYTES", "GATE-SET"])
def test_a_statement_that_was_changed_after_the_gates_is_refused(
    gated: Vendor, capsys: pytest.CaptureFixture[str], gate: str
) -> None:
    path = gated.workspace.record("phone-1.0") / "gates" / f"{gate}.json"
    path.write_bytes(path.read_bytes().replace(b"PASSED", b"FAILED"))

    assert gated.run("release", "publish", "phone-1.0") == 3
    assert f"RECORD-EVIDENCE: phone-1.0, gates/{gate}.json" in capsys.readouterr().err


def test_a_record_that_does_not_speak_of_every_pinned_gate_is_not_published(
    gated: Vendor, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one that was gated by an older version, which did not know the gate yet."""
    record = _record(gated)
    del record["steps"][-1]["digests"]["gates/TEST-KEY.json"]
    (gated.workspace.record("phone-1.0") / "record.json").write_text(json.dumps(record))
    (gated.workspace.record("phone-1.0") / "gates" / "TEST-KEY.json").unlink()

    assert gated.run("release", "publish", "phone-1.0") == 3
    assert "GATE-SET: phone-1.0: expected the statement of TEST-KEY, got none" in capsys.readouterr().err


def test_statements_of_another_release_do_not_count(vendor: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    vendor.publish(vendor.prepare_release("1.0"))
    vendor.up_to(vendor.prepare_release("2.0"), "verify", "gate")
    folder = vendor.workspace.record("phone-2.0")
    shutil.copy(vendor.workspace.record("phone-1.0") / "gates" / "PAYLOAD-BYTES.json", folder / "gates")
    record = json.loads((folder / "record.json").read_bytes())
    record["steps"][-1]["digests"].pop("gates/PAYLOAD-BYTES.json")
    (folder / "record.json").write_text(json.dumps(record))

    assert vendor.run("release", "publish", "phone-2.0") == 3
    told = capsys.readouterr().err
    assert "GATE-SET: phone-2.0: expected PAYLOAD-BYTES on the files that were verified" in told


def test_gates_that_fail_take_away_the_evidence_of_those_that_passed_before(
    gated: Vendor, plugin: Callable[..., None]
) -> None:
    plugin("VENDOR-SAYS-NO", "raise ValueError")

    assert gated.run("release", "gate", "phone-1.0") == 3

    assert gated.run("release", "publish", "phone-1.0") == 2
    statement = json.loads((gated.workspace.record("phone-1.0") / "gates" / "VENDOR-SAYS-NO.json").read_bytes())
    assert statement["predicate"]["verificationResult"] == "FAILED"


def test_json_holds_facts_and_times_for_scripts(gated: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    gated.done("release", "gate", "phone-1.0", "--json")

    gates = {item["gate"]: item for item in json.loads(capsys.readouterr().out)["gates"]}
    assert gates["VERSION-INCREASE"]["facts"]["versions"]["phone.payload"] == 2
    assert gates["PAYLOAD-BYTES"]["verdict"] == "pass"
    assert type(gates["PAYLOAD-BYTES"]["milliseconds"]) is int


def test_a_gate_of_releases_does_not_apply_to_a_root(rooted: Vendor) -> None:
    path = rooted.workspace.record("root-1") / "gates" / "PAYLOAD-BYTES.json"
    assert json.loads(path.read_bytes())["predicate"]["verificationResult"] == "NOT_APPLICABLE"


def _record(vendor: Vendor) -> Any:
    return json.loads((vendor.workspace.record("phone-1.0") / "record.json").read_bytes())


class _Named(Distribution):
    def __init__(self, name: str) -> None:
        self._text = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"

    def read_text(self, filename: str) -> str | None:
        return self._text if filename == "METADATA" else None

    def locate_file(self, path: Any) -> Any:
        return path


def _point(name: str, value: str, owner: str) -> EntryPoint:
    point = EntryPoint(name, value, GROUP)
    vars(point).update(dist=_Named(owner))
    return point


def _registered() -> list[EntryPoint]:
    return [_point(name, value, "enigm-tuf-repository") for name, value in PINNED_GATES.items()]
