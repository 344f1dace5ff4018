"""Which tokens an environment takes (rules TOKEN-PRODUCTION and ENVIRONMENT-MATCH), and finding a key on one."""

from enigm_tuf.authorities.tokens.hsm.attributes import key_class_of
from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.keys import Environment, Purpose
from enigm_tuf.ports import Home, TokenIdentity, TokenKey, TokenSession
from enigm_tuf.trust.rules import AuthorityRule

FACTORY = "factory secrets"  # what a PIV card says of itself while any of its secrets is the maker's
PIN_OPENS = "management key under the PIN"  # the same, while who has its PIN has its management key too
_NEVER_IN_PRODUCTION = ("SoftHSM", FACTORY, PIN_OPENS)  # in what a token says of itself: manufacturer, model


def require_fit(identity: TokenIdentity, environment: Environment) -> None:
    """Development keys sign in development only; production takes no software token and no factory PIN."""
    subject = f"token {identity.label} in {environment}"
    if identity.home == "development" and environment != "development":
        raise RefusedError(
            AuthorityRule.ENVIRONMENT_MATCH, subject, expected="a hardware token", got="a development key file"
        )
    described = f"{identity.manufacturer}, {identity.model}"
    if environment == "production" and any(mark in described for mark in _NEVER_IN_PRODUCTION):
        raise RefusedError(
            TokenRule.TOKEN_PRODUCTION, subject, expected="a hardware token with secrets of its own", got=described
        )


_HOMES: dict[Purpose, Home] = {"root": "hsm", "payload": "hsm", "manifest": "piv", "approval": "piv"}
"""DESIGN section 1; the freshness key is outside the boundary, and may live anywhere."""


def require_home(identity: TokenIdentity, environment: Environment, purpose: Purpose) -> None:
    """RefusedError TOKEN-HOME: nobody attests a card behind a PKCS#11 module, and nobody touches an HSM."""
    expected = _HOMES.get(purpose, identity.home)
    if environment == "production" and identity.home != expected:
        raise RefusedError(
            TokenRule.TOKEN_HOME, f"{purpose} key on {identity.label}", expected=expected, got=identity.home
        )


def require_never_copied(key: TokenKey, what: str) -> None:
    """RefusedError KEY-CLASS: who approves or vouches does it with a key that nobody else can have."""
    if key_class_of(key.attributes) != "non-extractable":
        raise RefusedError(
            AuthorityRule.KEY_CLASS, what, expected="a key that never leaves its token", got="wrapped-backup"
        )


def find_key(session: TokenSession, label: str) -> TokenKey:
    """The key of that label, or of that ``id=HEX``; MisuseError lists those that are there."""
    if label.startswith("id="):
        privates = (item for item in session.objects() if item.kind == "private-key")
        label = next((item.label for item in privates if f"id={item.id}" == label), label)
    keys = {key.label: key for key in session.keys()}
    if label not in keys:
        there = ", ".join(sorted(keys)) or "none"
        raise MisuseError(f"{session.identity.label} has no key {label}; it has: {there}")
    return keys[label]
