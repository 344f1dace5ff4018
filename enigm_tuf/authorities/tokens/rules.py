"""The rules on tokens and their keys."""

from enigm_tuf.trust.rules import Rule


class TokenRule(Rule):
    """What a token, and a key on it, must be."""

    TOKEN_ATTRIBUTES = "TOKEN-ATTRIBUTES", "a signing key has exactly the attributes that it must have"
    TOKEN_WRAPPING = (
        "TOKEN-WRAPPING",
        "a wrapping key is TRUSTED, never extractable, for one use alone, and unwraps nothing in the clear",
    )
    SIGNATURE_SELF_CHECK = "SIGNATURE-SELF-CHECK", "a signature verifies before it leaves the token layer"
    TOKEN_ATTESTATION = "TOKEN-ATTESTATION", "a PIV key is attested to a pinned root, with PIN and touch always"
    TOKEN_ATTESTATION_CHAIN = (
        "TOKEN-ATTESTATION-CHAIN",
        "an attestation is a path of authorities to a pinned root, in force when the key is enrolled",
    )
    TOKEN_ATTESTED_CARD = "TOKEN-ATTESTED-CARD", "the card's serial number and firmware are those attested"
    TOKEN_HOME = (
        "TOKEN-HOME",
        "in production root and payload keys live in HSMs, manifest and approval keys on PIV cards",
    )
    TOKEN_PRODUCTION = (
        "TOKEN-PRODUCTION",
        "production takes no SoftHSM, no key file, no factory secrets, no management key under a PIN",
    )
