"""Step 7: release gates. Each stands alone, each leaves its own evidence, and none can be switched off."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType

from enigm_tuf.errors import EnigmTufError
from enigm_tuf.model.request import RuleOutcome
from enigm_tuf.trust.rules import AuthorityRule
from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.expiry_horizon import expiry_horizon
from enigm_tuf_repository.gates.payload_bytes import payload_bytes
from enigm_tuf_repository.gates.test_key import test_key
from enigm_tuf_repository.gates.version_increase import version_increase
from enigm_tuf_repository.rules import RepositoryRule

GATES: Mapping[str, Callable[[GateContext], str]] = MappingProxyType(
    {
        RepositoryRule.PAYLOAD_BYTES: payload_bytes,
        RepositoryRule.VERSION_INCREASE: version_increase,
        AuthorityRule.TEST_KEY: test_key,
        RepositoryRule.EXPIRY_HORIZON: expiry_horizon,
    }
)
"""A gate returns its evidence in words, or raises. The registry is closed: there is no way to add or leave out."""


def run_gates(context: GateContext) -> tuple[RuleOutcome, ...]:
    """All gates, side by side, whatever the others say."""
    with ThreadPoolExecutor() as pool:
        return tuple(pool.map(lambda name: _run(name, context), GATES))


def _run(name: str, context: GateContext) -> RuleOutcome:
    try:
        return RuleOutcome(name, True, GATES[name](context))
    except EnigmTufError as error:
        return RuleOutcome(name, False, str(error))
