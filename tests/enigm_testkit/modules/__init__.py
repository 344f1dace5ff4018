"""Tokens of every kind that can run on a Debian machine, each set up for real and taken down again."""

from collections.abc import Callable
from dataclasses import dataclass, field

from enigm_testkit.softhsm import SO_PIN
from enigm_tuf.ports import Algorithm, Token


@dataclass(frozen=True)
class Target:
    """``open`` gives the token anew. ``lacks``: for each algorithm that it cannot make, part of the error.

    ``has``: labels of keys that are there, for a token whose keys are made elsewhere. ``signatures``: how many the
    token has made, where it can be asked. ``label``: what a key of that name is called there. ``no_copies``: why
    nothing can be wrapped there, part of the error; ``so_pin``: of its security officer.
    """

    name: str
    open: Callable[[], Token]
    pin: str
    lacks: dict[Algorithm, str] = field(default_factory=dict)
    has: tuple[str, ...] = ()
    signatures: Callable[[], int] | None = None
    label: Callable[[str], str] = str
    no_copies: str = ""
    so_pin: str = SO_PIN


NO_ML_DSA: dict[Algorithm, str] = dict.fromkeys(("ml-dsa-44", "ml-dsa-65", "ml-dsa-87"), "lacks CKM_ML_DSA")
