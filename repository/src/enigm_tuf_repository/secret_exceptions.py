"""Keys that may be found: each with its digest, a reason and an end."""

from dataclasses import dataclass
from datetime import datetime

from enigm_tuf.model.shapes import LINE, SHA256, Record, Sequence, Time


@dataclass(frozen=True, slots=True)
class SecretException:
    """``digest`` is that of what was found, or of an image that could not be looked into, as the scan shows it."""

    digest: str
    reason: str
    expires: datetime


SECRET_EXCEPTIONS = Sequence(
    Record(SecretException, digest=SHA256, reason=LINE, expires=Time()), maximum=1_000, unique=True
)
