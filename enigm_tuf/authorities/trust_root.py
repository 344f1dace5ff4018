"""Which root an authority trusts, and how that grows: once by a person, after that by the root chain alone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import MerkleLog, open_log
from enigm_tuf.authorities.history import history_of
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.rules import SigningRule
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.request import SigningRequest
from enigm_tuf.model.root_extension import PolicyPin
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Root
from enigm_tuf.policy.rules.meta import MetaRule
from enigm_tuf.ports import Clock
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.metadata import TrustedMetadata, admit_root, trust_root
from enigm_tuf.trust.root_quorums import root_owner
from enigm_tuf.trust.root_rules import view_root
from enigm_tuf.trust.rules import Rule
from enigm_tuf.trust.verified import Document, read_document


@dataclass(frozen=True, slots=True)
class Chain:
    """The trusted root, if there is one, and the roots that the home does not hold yet, by version."""

    state: TrustedMetadata | None
    news: dict[int, bytes]


def trusted(home: Home, now: datetime) -> TrustedMetadata | None:
    """The home's own chain, admitted again from its first root; None before the first is trusted."""
    chain = home.roots()
    if not chain:
        return None
    state = trust_root(chain[0], now, AuthorityAdmission(home.environment))
    for data in chain[1:]:
        state = admit_root(state, data)
    return state


def admit_context(home: Home, request: SigningRequest, now: datetime) -> Chain:
    """The chain after the roots that a request brings; nothing is stored here.

    RefusedError ROOT-CHAIN where the request's chain has another root in a place that the home knows.
    """
    state = trusted(home, now)
    if state is None:
        return Chain(None, {})
    known, brought, news = home.roots(), request.below("context/root"), {}
    for version, data in enumerate(known, start=1):
        _require_same(version, data, brought.get(f"{version}.root.json", data))
    version = len(known) + 1
    while (name := f"{version}.root.json") in brought:
        state = admit_root(state, brought[name])
        news[version] = brought[name]
        version += 1
    return Chain(state, news)


def keep_news(home: Home, chain: Chain, log: MerkleLog) -> None:
    """Trust the new roots for good. Logged first, so that the home never holds a root that its log does not know."""
    for version, data in chain.news.items():
        log.append(EntryType.ROOT_TRUSTED, {"version": version, "sha256": sha256(read_root(data).canonical)})
        home.add_root(data, version)


def trust_first_root(home: Home, data: bytes, confirm: Callable[[str], None], clock: Clock) -> str:
    """Trust root version 1 after ``confirm`` has let a person say its digest; returns the digest.

    RefusedError: the rules of TUF and of the authorities, POLICY-PINNED, ROOT-OWN, and what ``confirm`` refuses.
    """
    with open_log(home.log, clock) as log:
        if home.roots():
            raise MisuseError("this authority trusts a root already", hint="newer roots come with signing requests")
        root = trust_root(data, clock.now(), AuthorityAdmission(home.environment)).root
        if root.value.version != 1:
            raise MisuseError(f"the first root to trust is version 1, not version {root.value.version}")
        digest = sha256(root.canonical)
        _require_policy_pinned(home, root.value)
        heads = history_of(log.entries_after(0)).ledger().heads
        own = heads["root"].sha256 if "root" in heads else None
        if own != digest and (own or home.authority == root_owner(view_root(root.value))):
            _refuse(SigningRule.ROOT_OWN, f"root with digest {own or 'of a request signed here'}", digest)
        confirm(digest)
        keep_news(home, Chain(None, {root.value.version: data}), log)
    return digest


def read_root(data: bytes) -> Document[Root]:
    """Parse a root; nothing is verified here."""
    return read_document(data, Root, "root", LIMITS.root_bytes)


def _require_policy_pinned(home: Home, root: Root) -> None:
    """A root in model ``manifest-only`` knows no release authority: it may look on, and signs what makes it one."""
    extension = view_root(root).extension
    pin = extension.policies.manifest if home.authority == "manifest" else extension.policies.release
    if extension.authority_model == "manifest-only" and home.authority == "release":
        return
    if pin != home.policy_pin:
        _refuse(MetaRule.POLICY_PINNED, _text(home.policy_pin), _text(pin))


def _require_same(version: int, known: bytes, brought: bytes) -> None:
    ours, theirs = (sha256(read_root(data).canonical) for data in (known, brought))
    if ours != theirs:
        _refuse(SigningRule.ROOT_CHAIN, f"root version {version} with digest {ours}", theirs)


def _text(pin: PolicyPin | None) -> str:
    return f"policy version {pin.version}, {pin.sha256}" if pin else "no policy"


def _refuse(rule: Rule, expected: str, got: str) -> None:
    raise RefusedError(rule, "root", expected=expected, got=got)
