"""What all tests share: the ``rule`` marker, and the proof that every test that the assurance case names has run."""

import re
import signal
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
ASSURANCE = (DOCS / "assurance.md", DOCS / "explanation" / "threats.md")
_NAMED_TEST = re.compile(r"`(tests/[^`]+\.py::[^`]+)`")


class AssuranceProof:
    """Collects what passed, and at the end compares it with what the assurance case claims."""

    def __init__(self) -> None:
        self.passed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.passed.add(re.sub(r"\[.*|@.*", "", report.nodeid))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        named = {name for page in ASSURANCE for name in _NAMED_TEST.findall(page.read_text())}
        missing = sorted(named - self.passed)
        if missing and exitstatus == 0:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            print("\nthe assurance case names tests that did not pass in this run:")
            print("\n".join(f"  {name}" for name in missing))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--assurance", action="store_true", help="fail unless every test of the assurance case has passed")


def pytest_configure(config: pytest.Config) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job, as CI may be one, ignores it
    if config.getoption("--assurance") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(AssuranceProof())
