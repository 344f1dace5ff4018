"""Which key signs timestamps: one that a root names for them. Outside the boundary, with no home and no log (ADR 5)."""

from datetime import datetime

from enigm_tuf.authorities.rules import SigningRule
from enigm_tuf.authorities.token_fit import require_fit
from enigm_tuf.errors import RefusedError
from enigm_tuf.limits import LIMITS
from enigm_tuf.model.keys import Environment
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.tuf import Root
from enigm_tuf.ports import TokenIdentity, TokenKey
from enigm_tuf.trust.authority_admission import AuthorityAdmission
from enigm_tuf.trust.metadata import trust_root
from enigm_tuf.trust.root_rules import RootView, view_root
from enigm_tuf.trust.verified import read_document


def view_own_root(data: bytes, source: str, now: datetime) -> RootView:
    """The root that the freshness key's machine was given, in its own environment.

    RefusedError unless it meets its own threshold and the rules on roots. It may have expired, and newer ones may be
    published: while they name the same key, nothing follows from that.
    """
    named = view_root(read_document(data, Root, source, LIMITS.root_bytes).value)
    environment: Environment = named.extension.environment
    return view_root(trust_root(data, now, AuthorityAdmission(environment), source=source).root.value)


def require_freshness_key(view: RootView, identity: TokenIdentity, key: TokenKey) -> str:
    """The keyid that root gives it; RefusedError KEY-OF-ROLE, ENVIRONMENT-MATCH, TOKEN-PRODUCTION."""
    require_fit(identity, view.extension.environment)
    digest, named = sha256(key.spki), view.role("timestamp").keyids
    keyid = next((keyid for keyid in named if view.spki[keyid] == digest), None)
    if keyid is None:
        raise RefusedError(
            SigningRule.KEY_OF_ROLE,
            f"timestamp, {view.subject}",
            expected=f"one of {', '.join(view.spki[keyid] for keyid in named)}",
            got=f"key {digest}",
            hint="--label names the freshness key; after a root with another one, --root is that root",
        )
    return keyid
