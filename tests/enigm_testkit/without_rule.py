"""A pytest plugin that removes one check of the code under test, to prove that a test notices.

``python -m pytest -p enigm_testkit.without_rule --without root_rules.root_consent`` runs with that check gone.
"""

from collections.abc import Callable
from typing import Any

import pytest

from enigm_tuf.trust import agreement, delegation_rules, root_rules, threshold
from enigm_tuf.trust.rules import Evidence

NOTHING = Evidence("", "", "the check was removed")


def _nothing(*_: Any, **__: Any) -> Evidence:
    return NOTHING


def _agrees_always(product: Any, release: Any, payload: Any, _target: Any) -> Any:
    return agreement.by_manifest_alone(product, release, payload)


def _counts_keyids(valid: Callable[..., dict[str, str]]) -> Callable[..., dict[str, str]]:
    return lambda *arguments: {keyid: keyid for keyid in valid(*arguments)}


CHECKS: dict[str, tuple[str, Any, str, Any]] = {
    "root_rules.authority_disjoint": ("AUTHORITY-DISJOINT", root_rules, "authority_disjoint", _nothing),
    "root_rules.require_distinct": ("THRESHOLD-DISTINCT", root_rules, "require_distinct", _nothing),
    "delegation_rules.require_distinct": ("THRESHOLD-DISTINCT", delegation_rules, "require_distinct", _nothing),
    "threshold._valid": ("THRESHOLD-DISTINCT", threshold, "_valid", _counts_keyids(threshold._valid)),
    "root_rules.require_owner": ("AUTHORITY-ROLES", root_rules, "require_owner", _nothing),
    "delegation_rules.require_owner": ("AUTHORITY-ROLES", delegation_rules, "require_owner", _nothing),
    "delegation_rules._product_role": ("AUTHORITY-ROLES", delegation_rules, "_product_role", _nothing),
    "delegation_rules._payload_keys": ("PAYLOAD-PINNED", delegation_rules, "_payload_keys", _nothing),
    "delegation_rules.payload_pinned": ("PAYLOAD-PINNED", delegation_rules, "payload_pinned", _nothing),
    "agreement.agree": ("DUAL-AGREEMENT", agreement, "agree", _agrees_always),
    "root_rules.root_consent": ("ROOT-CONSENT", root_rules, "root_consent", _nothing),
    "root_rules.environment_match": ("ENVIRONMENT-MATCH", root_rules, "environment_match", _nothing),
    "agreement.manifest_matches": ("ENVIRONMENT-MATCH", agreement, "manifest_matches", _nothing),
    "root_rules.key_class": ("KEY-CLASS", root_rules, "key_class", _nothing),
    "root_rules.model_ratchet": ("MODEL-RATCHET", root_rules, "model_ratchet", _nothing),
    "agreement.rollback_index": ("ROLLBACK-INDEX", agreement, "rollback_index", _nothing),
}
"""Check: the rule that it enforces, its module, its name, and what stands in its place."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--without", choices=sorted(CHECKS))


def pytest_configure(config: pytest.Config) -> None:
    if name := config.getoption("--without"):
        _, module, function, replacement = CHECKS[name]
        setattr(module, function, replacement)
