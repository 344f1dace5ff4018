"""What all tests share: the ``rule`` marker, and the proof that every test that docs/assurance.md names has run."""

import re
from pathlib import Path

import pytest

ASSURANCE = Path(__file__).parents[1] / "docs" / "assurance.md"
_NAMED_TEST = re.compile(r"`(tests/[^`]+\.py::[^`]+)`")


class AssuranceProof:
    """Collects what passed, and at the end compares it with what the assurance case claims."""

    def __init__(self) -> None:
        self.passed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.passed.add(re.sub(r"\[.*|@.*", "", report.nodeid))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        missing = sorted(set(_NAMED_TEST.findall(ASSURANCE.read_text())) - self.passed)
        if missing and exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            print(f"\n{ASSURANCE.name} names tests that did not pass in this run:")
            print("\n".join(f"  {name}" for name in missing))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--assurance", action="store_true", help="fail unless every test in docs/assurance.md has passed")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--assurance") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(AssuranceProof())
