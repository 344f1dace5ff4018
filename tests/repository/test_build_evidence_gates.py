"""A release whose builds must show something: each gate passes what is right and refuses what differs in one thing."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enigm_testkit.builders import REF, REPOSITORY, Maker, cyclonedx, spdx
from enigm_testkit.custodians import log_settings
from enigm_testkit.vendor import Vendor
from enigm_tuf.errors import MalformedError
from enigm_tuf.model.strict_json import sha256
from enigm_tuf_repository.bills import read_bill
from enigm_tuf_repository.configuration import read_configuration
from enigm_tuf_repository.gates.build_evidence import why_not
from enigm_tuf_repository.gates.gate import Gate, GateResult
from enigm_tuf_repository.gates.pinned import PINNED_GATES
from enigm_tuf_repository.gates.plugins import installed_gates
from enigm_tuf_repository.gates.running import run_gates
from enigm_tuf_repository.gating import gate_context

OURS = ("PROVENANCE", "REBUILD", "SBOM", "TESTS")
PAYLOAD = b"payload " * 300
OTA = sha256(PAYLOAD + b"1.0")


@dataclass
class Factory:
    """A vendor with two builders, a reviewer and a tester, and the evidence for release 1.0 by file name."""

    vendor: Vendor
    alpha: Maker = field(default_factory=lambda: Maker("https://a.example/builder"))
    beta: Maker = field(default_factory=lambda: Maker("https://b.example/builder"))
    git: Maker = field(default_factory=lambda: Maker("https://git.example/review"))
    lab: Maker = field(default_factory=lambda: Maker("https://lab.example"))

    def evidence(self) -> dict[str, bytes]:
        return {
            "a.dsse.json": self.alpha.provenance({"ota.zip": OTA}),
            "b.dsse.json": self.beta.provenance({"ota.zip": OTA}),
            "review.dsse.json": self.git.review(),
            "tests.dsse.json": self.lab.tests(OTA, self.vendor.clock.now() - timedelta(hours=1)),
            "sbom.spdx.json": spdx("ota.zip", OTA),
        }

    def demands(self, **changes: str) -> str:
        """The artifacts of repository.toml."""
        fields = {
            "source": f'"{REPOSITORY}"',
            "refs": f'["{REF}"]',
            "builders": f"[{_toml(self.alpha)}, {_toml(self.beta)}]",
            "rebuilds": "2",
            "reviewers": f"[{_toml(self.git)}]",
            "testers": f"[{_toml(self.lab)}]",
            "test_hours": "24",
        } | changes
        inner = ", ".join(f"{name} = {value}" for name, value in fields.items())
        return f'artifacts = [{{product = "phone", kinds = ["file"], evidence = {{{inner}}}}}]'

    def configure(self, **changes: str) -> None:
        file = self.vendor.workspace.configuration_file
        kept = [line for line in file.read_text().splitlines() if not line.startswith("artifacts =")]
        file.write_text("\n".join([*kept, self.demands(**changes)]) + "\n")

    def judged(self, **changes: bytes | None) -> Mapping[str, GateResult]:
        """The four gates on release 1.0 with evidence that was changed by file name (``_`` for dots)."""
        self.prepared(**changes)
        self.vendor.up_to("phone-1.0", "verify")
        return self.results()

    def prepared(self, **changes: bytes | None) -> None:
        """Up to the requests."""
        files = self.evidence() | {_file_name(name): data for name, data in changes.items() if data is not None}
        gone = {_file_name(name) for name, data in changes.items() if data is None}
        folder = self.vendor.path / "build-1.0"
        folder.mkdir(exist_ok=True)
        for name in files.keys() - gone:
            (folder / name).write_bytes(files[name])
        self.vendor.prepare_release("1.0", PAYLOAD, provenance=str(sorted(files.keys() - gone)))

    def results(self) -> Mapping[str, GateResult]:
        context = gate_context(self.vendor.workspace, self.vendor.record("phone-1.0"), self.vendor.clock.now())
        return {result.rule: result for result in run_gates(context) if result.rule in OURS}


def _file_name(name: str) -> str:
    return {"a": "a.dsse.json", "b": "b.dsse.json", "review": "review.dsse.json", "tests": "tests.dsse.json"}.get(
        name, "sbom.spdx.json"
    )


def _toml(maker: Maker) -> str:
    return f'{{id = "{maker.id}", keys = ["{maker.public}"]}}'


def refused(results: Mapping[str, GateResult]) -> dict[str, str]:
    return {rule: result.summary for rule, result in results.items() if not result.passed}


@pytest.fixture
def factory(vendor: Vendor) -> Factory:
    made = Factory(vendor)
    made.configure()
    return made


@pytest.mark.rule("SBOM", "accept")
def test_a_release_with_all_its_evidence_passes_and_says_what_was_seen(factory: Factory) -> None:
    results = factory.judged()

    assert refused(results) == {}
    path = "payloads/phone/1.0/ota.zip"
    assert [item["builder"] for item in results["PROVENANCE"].facts[path]] == [factory.alpha.id, factory.beta.id]
    assert results["REBUILD"].facts[path] == [factory.alpha.id, factory.beta.id]
    assert results["SBOM"].facts[path] == {"file": "sbom.spdx.json", "format": "SPDX-2.3", "lists": 2}
    assert results["TESTS"].facts[path]["tester"] == factory.lab.id


def _foreign(factory: Factory) -> bytes:
    return Maker(factory.beta.id).provenance({"ota.zip": OTA})


Change = Callable[[Factory], dict[str, bytes | None]]


@pytest.mark.rule("SBOM", "reject")
@pytest.mark.parametrize(
    ("change", "rules"),
    [
        (lambda _: {"sbom": None}, {"SBOM"}),
        (lambda _: {"sbom": spdx("ota.zip", "6" * 64)}, {"SBOM"}),
        (lambda _: {"sbom": json.dumps({"spdxVersion": "SPDX-2.3", "packages": []}).encode()}, {"SBOM"}),
        (lambda _: {"b": None}, {"REBUILD"}),
        (lambda factory: {"b": _foreign(factory)}, {"REBUILD"}),
        (lambda factory: {"b": factory.beta.provenance({"ota.zip": "6" * 64})}, {"PROVENANCE", "REBUILD"}),
        (lambda _: {"review": None}, {"PROVENANCE", "REBUILD"}),
        (
            lambda factory: {"review": factory.git.review(verifiedLevels=["SLSA_SOURCE_LEVEL_1"])},
            {"PROVENANCE", "REBUILD"},
        ),
        (lambda _: {"tests": None}, {"TESTS"}),
        (
            lambda factory: {"tests": factory.lab.tests(OTA, factory.vendor.clock.now() - timedelta(hours=25))},
            {"TESTS"},
        ),
    ],
)
def test_evidence_that_differs_in_one_thing_is_refused_by_the_gate_that_reads_it(
    factory: Factory, change: Change, rules: set[str]
) -> None:
    assert refused(factory.judged(**change(factory))).keys() == rules


def test_a_broken_statement_is_named_before_anybody_signs(factory: Factory, capsys: pytest.CaptureFixture[str]) -> None:
    broken = json.loads(factory.evidence()["a.dsse.json"]) | {"payload": "e30="}
    factory.prepared(a=json.dumps(broken).encode())
    request = factory.vendor.workspace.record("phone-1.0") / "requests" / "release.enigmreq"
    assert factory.vendor.run("request", "lint", str(request)) == 2
    assert "evidence/provenance/a.dsse.json: _type: must be a text, is missing" in capsys.readouterr().err


def test_results_grow_old_while_a_release_waits(factory: Factory) -> None:
    assert refused(factory.judged()) == {}
    factory.vendor.clock.advance(timedelta(hours=23, seconds=1))
    assert refused(factory.results()).keys() == {"TESTS"}


def test_cyclonedx_will_do_too(factory: Factory) -> None:
    results = factory.judged(sbom=cyclonedx("ota.zip", OTA))
    assert results["SBOM"].facts["payloads/phone/1.0/ota.zip"]["format"] == "CycloneDX 1.6"


def test_evidence_that_somebody_put_into_the_request_afterwards_does_not_count(factory: Factory) -> None:
    """The record binds the request by the digest of its index: another file there is no evidence."""
    factory.judged()
    path = factory.vendor.workspace.record("phone-1.0") / "requests" / "release.enigmreq"
    path.write_bytes(path.read_bytes()[:-1024])
    assert refused(factory.results()).keys() == set(OURS)


def test_in_staging_nothing_is_demanded_where_nothing_stands(gated: Vendor) -> None:
    context = gate_context(gated.workspace, gated.record("phone-1.0"), gated.clock.now())
    assert why_not(context) == "repository.toml demands nothing of the builds of phone"


@pytest.mark.parametrize("rule", OURS)
def test_in_production_a_product_without_demands_is_refused(gated: Vendor, rule: str) -> None:
    context = gate_context(gated.workspace, gated.record("phone-1.0"), gated.clock.now())
    file = gated.workspace.configuration_file
    text = file.read_text().replace(log_settings("dual"), log_settings("dual", "production"))
    file.write_text(text.replace('environment = "staging"', 'environment = "production"'))
    gates: dict[str, Gate] = {str(plugin.gate.rule): plugin.gate for plugin in installed_gates().plugins}
    assert gates[rule].applies(context) == ""
    with pytest.raises(Exception, match=rf"{rule}: phone: expected \[artifacts.evidence\] in repository.toml"):
        gates[rule].run(context, lambda *_: None)


def test_a_root_has_no_builds(rooted: Vendor) -> None:
    context = gate_context(rooted.workspace, rooted.record("root-1"), rooted.clock.now())
    assert why_not(context) == "a root brings no artifacts"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"rebuilds": "3"}, "rebuilds: 3 must agree, and there are 2 builders"),
        ({"rebuilds": "1"}, "rebuilds: must lie in 2..10"),
        ({"reviewers": "[]"}, "reviewers"),
        ({"testers": '[{id = "lab", keys = ["AAAA"]}]'}, "evidence.testers: lab: not a public key"),
        ({"refs": '["main"]'}, "refs"),
        ({"source": '"https://git.example"'}, "source"),
    ],
)
def test_demands_that_cannot_be_met_or_mean_nothing_are_told(
    factory: Factory, change: dict[str, str], told: str
) -> None:
    factory.configure(**change)
    with pytest.raises(MalformedError, match=told):
        read_configuration(factory.vendor.workspace.configuration_file.read_bytes(), "repository.toml")


def test_one_key_under_two_builders_is_told(factory: Factory) -> None:
    twin = Maker("https://twin.example", factory.alpha.key)
    factory.configure(builders=f"[{_toml(factory.alpha)}, {_toml(twin)}]")
    with pytest.raises(MalformedError, match="stands there already"):
        read_configuration(factory.vendor.workspace.configuration_file.read_bytes(), "repository.toml")


def test_evidence_can_be_named_on_the_command_line(factory: Factory, capsys: pytest.CaptureFixture[str]) -> None:
    factory.judged()
    folder = factory.vendor.path / "build-2.0"
    folder.mkdir(exist_ok=True)
    (folder / "more.json").write_bytes(b"{}")
    (folder / "ota.zip").write_bytes(b"2.0")
    release = (factory.vendor.path / "build-1.0" / "release.toml").read_text()
    (folder / "release.toml").write_text(release.replace("1.0", "2.0").split("provenance =")[0] + "provenance = []\n")
    factory.vendor.done(
        "release", "prepare", "--config", str(folder / "release.toml"), "--evidence", str(folder / "more.json")
    )
    assert "evidence/provenance/more.json" in factory.vendor.request("phone-2.0", "release").members
    capsys.readouterr()
    again = ["--evidence", str(folder / "more.json")] * 2
    assert factory.vendor.run("release", "prepare", "--config", str(folder / "release.toml"), *again) == 2
    assert "another evidence file is called more.json" in capsys.readouterr().err


def _spdx3(digest: str) -> dict[str, Any]:
    package = {"type": "software_Package", "name": "ota"}
    package |= {"verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": digest}]}  # type: ignore[dict-item]
    return {
        "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
        "@graph": [package, {"type": "software_File"}],
    }


def test_spdx_3_is_read() -> None:
    bill = read_bill(json.dumps(_spdx3(OTA)).encode(), "it")
    assert bill is not None
    assert (bill.format, set(bill.digests), bill.listed) == ("SPDX 3", {OTA}, 2)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'"SPDX"', b"\x7fELF", b"[" * 100_000])
def test_what_is_no_bill_is_none(data: bytes) -> None:
    assert read_bill(data, "it") is None


@pytest.mark.parametrize(
    "data", [{"spdxVersion": "SPDX-2.3", "packages": 7}, {"bomFormat": "CycloneDX", "metadata": []}]
)
def test_a_broken_bill_is_malformed(data: dict[str, Any]) -> None:
    with pytest.raises(MalformedError, match="a broken bill of materials"):
        read_bill(json.dumps(data).encode(), "it")


def test_all_four_are_pinned() -> None:
    assert set(OURS) <= PINNED_GATES.keys()
    assert Path(PINNED_GATES["TESTS"]).name == "enigm_tuf_repository.gates.tests_passed:GATE"
