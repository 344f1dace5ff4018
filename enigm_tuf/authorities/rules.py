"""What the authority itself demands around a signature, beside its policy."""

from enigm_tuf.trust.rules import Rule


class SigningRule(Rule):
    """Each refuses on its own, and is logged."""

    CONFIRM_WORDS = "CONFIRM-WORDS", "the person types the last four words of what they decide on"
    APPROVER_KEY = "APPROVER-KEY", "an operator approves with their own enrolled key on its own device"
    ROOT_OWN = "ROOT-OWN", "an authority that signs root trusts only a root that it signed"
    ROOT_CHAIN = "ROOT-CHAIN", "a request brings the roots that the authority already trusts, and what follows them"
    KEY_OF_ROLE = "KEY-OF-ROLE", "the key on the token is one that root or the delegation gives to the role"
    SIGN_ONCE = "SIGN-ONCE", "a key signs a request once"
    SIGN_INTENT_OPEN = "SIGN-INTENT-OPEN", "nothing is signed while it is unknown whether a signature was made"
