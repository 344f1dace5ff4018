"""Removing any one check of the ten rules turns a test red."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from enigm_testkit.without_rule import CHECKS

ROOT = Path(__file__).parents[2]
TESTS = [f"tests/core/test_{name}.py" for name in ("root_rules", "delegation_rules", "agreement")]


def run_without(check: str | None) -> tuple[int, str]:
    """The rule tests in a process of their own, with one check gone."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "enigm_testkit.without_rule", "-p", "no:cacheprovider"]
    command += ["--without", check] if check else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}  # a plugin is imported before pytest's own path
    done = subprocess.run([*command, *TESTS], capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    return done.returncode, done.stdout


def test_with_every_check_in_place_the_tests_pass() -> None:
    status, output = run_without(None)
    assert status == 0, output


@pytest.mark.slow
@pytest.mark.parametrize("check", sorted(CHECKS))
def test_a_test_notices_that_the_check_is_gone(check: str) -> None:
    status, output = run_without(check)
    failed = re.findall(r"^FAILED (\S+)", output, re.MULTILINE)
    print(f"{CHECKS[check][0]}: without {check}, {len(failed)} tests turn red")
    assert status == 1, output
    assert failed


def test_every_one_of_the_ten_rules_has_a_check_that_is_removed() -> None:
    ten = {
        "KEY-CLASS",
        "AUTHORITY-DISJOINT",
        "THRESHOLD-DISTINCT",
        "AUTHORITY-ROLES",
        "PAYLOAD-PINNED",
        "DUAL-AGREEMENT",
        "ROOT-CONSENT",
        "ENVIRONMENT-MATCH",
        "MODEL-RATCHET",
        "ROLLBACK-INDEX",
    }
    assert {rule for rule, *_ in CHECKS.values()} == ten
