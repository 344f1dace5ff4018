"""Which tokens an environment takes (rules TOKEN-PRODUCTION and ENVIRONMENT-MATCH), and finding a key on one."""

from enigm_tuf.authorities.tokens.rules import TokenRule
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.keys import Environment
from enigm_tuf.ports import TokenIdentity, TokenKey, TokenSession
from enigm_tuf.trust.rules import AuthorityRule

SIMULATOR = "SoftHSM"
FACTORY = "factory secrets"  # what a PIV card says of itself while any of its secrets is the maker's


def require_fit(identity: TokenIdentity, environment: Environment) -> None:
    """Development keys sign in development only; production takes no software token at all."""
    subject = f"token {identity.label} in {environment}"
    if identity.home == "development" and environment != "development":
        raise RefusedError(
            AuthorityRule.ENVIRONMENT_MATCH, subject, expected="a hardware token", got="a development key file"
        )
    if environment == "production" and SIMULATOR in identity.manufacturer:
        raise RefusedError(
            TokenRule.TOKEN_PRODUCTION, subject, expected="an HSM", got=f"manufacturer {identity.manufacturer}"
        )
    if environment == "production" and FACTORY in identity.model:
        raise RefusedError(
            TokenRule.TOKEN_PRODUCTION,
            subject,
            expected="its own PIN, PUK and management key",
            got=identity.model,
            hint="enigm-sign token init makes the card ready",
        )


def find_key(session: TokenSession, label: str) -> TokenKey:
    """The key of that label; MisuseError lists those that are there."""
    keys = {key.label: key for key in session.keys()}
    if label not in keys:
        there = ", ".join(sorted(keys)) or "none"
        raise MisuseError(f"{session.identity.label} has no key {label}; it has: {there}")
    return keys[label]
