"""What a check finds, and what an offer rests on."""

from __future__ import annotations

from enigm_tuf.errors import RefusedError
from enigm_tuf.model.documents import Documents
from enigm_tuf.model.value import Value
from enigm_tuf.ports import DeviceState
from enigm_tuf.trust.agreement import AgreedPayload
from enigm_tuf.trust.gate_report import GateReport

TYPE_CHECKING = False  # without importing typing


class Known(Value):
    """What an offer rests on: SHA-256 of the newest trusted root and snapshot, version and build id installed."""

    root: str | None
    snapshot: str | None
    installed: tuple[str, str] | None

    @classmethod
    def by(cls, state: DeviceState, product: str) -> Known:
        digests = Documents.of(state.metadata).digests
        return cls(digests.get("root"), digests.get("snapshot"), state.installed.get(product))


class Offer(Value):
    """A release that this device may install now: while it is ``known`` to be what root and snapshot say."""

    agreed: AgreedPayload
    known: Known

    @property
    def version(self) -> str:
        return self.agreed.release.version

    @property
    def sha256(self) -> str:
        """The payload's SHA-256, hex."""
        return self.agreed.payload.hashes["sha256"]


class Check(Value):
    """What a check found: an offer, or the reason why there is none; and one finding per control.

    ``refusal`` is set when a security rule said no, as opposed to "nothing new" or "not your turn yet".
    """

    offer: Offer | None
    reason: str
    report: GateReport
    refusal: RefusedError | None = None
