"""Who signs a request: whom the trusted root names for its keys, and whom the proposed one would."""

from collections.abc import Iterable
from dataclasses import replace

from enigm_tuf.model.root_extension import KeyInfo
from enigm_tuf.model.tuf import Root
from enigm_tuf.policy.question import Question
from enigm_tuf.trust.root_rules import RootView, view_root


def roots_of(question: Question) -> list[RootView]:
    """The trusted root, if there is one, and then the proposed one, if there is one."""
    proposal = question.proposals.get("root")
    roots = (question.root.value if question.root else None, proposal.signed if proposal else None)
    return [view_root(root) for root in roots if isinstance(root, Root)]


def custodians_of(question: Question, key: str) -> tuple[str, ...]:
    """Whom the roots name for a public key (SPKI digest), the trusted one first; empty if neither knows the key.

    A proposal cannot give away the key that signs it: who holds the token is whom the trusted root names, and whom
    the proposed root names instead is about to hold it.
    """
    return tuple(dict.fromkeys(info.custodian for info in _infos_of(question, key)))


def signed_with(question: Question, key: str | None, others: Iterable[str]) -> Question:
    """The same question of who signs now with ``key`` beside ``others``: SPKI digests of the keys of one request.

    ``key`` is None before a token has been looked at.
    """
    keys = {*others, *([key] if key else [])}
    infos = [info for item in keys for info in _infos_of(question, item)]
    return replace(
        question,
        custodian=None if key is None else next(iter(custodians_of(question, key)), ""),
        custodians=frozenset(info.custodian for info in infos),
        tokens=frozenset(info.token.serial for info in infos),
    )


def _infos_of(question: Question, key: str) -> list[KeyInfo]:
    infos = [info for view in roots_of(question) for info in view.extension.keyinfo.values()]
    return [info for info in infos if info.spki_sha256 == key]
