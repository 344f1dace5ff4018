"""The seal on values that only a check may make. Imported inside enigm_tuf.trust alone (a test holds that)."""

from enigm_tuf.errors import MisuseError


class Seal:
    """Proof that the maker of a value is one of the admitting modules."""


SEAL = Seal()


def require_seal(seal: object, what: str) -> None:
    """Called by ``__post_init__`` of every sealed value. Stops mistakes, and shows a forger to the reviewer."""
    if seal is not SEAL:
        raise MisuseError(f"{what} is made by the check that proves it, never by hand")
