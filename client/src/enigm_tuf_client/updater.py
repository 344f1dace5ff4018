"""The device's API: check, fetch, verify, install.

::

    updater = Updater(store=DirectoryStore(path), fetcher=HttpFetcher(url), facts=facts, clock=SystemClock())
    check = updater.check()
    if check.offer:
        slots = DirectorySlots(path / "slots")
        artifact = updater.fetch(check.offer, slots.place(check.offer.sha256))
        updater.install(check.offer, artifact, slots)

What it proves: both authorities, as pinned by the newest trusted root, agree on the artifact, it is fresh as far
as signed expiry tells, and not below the device's floor. What it does not: that the artifact is free of flaws,
that it boots (verified boot), or who is asking (attestation, request and transport authentication).

Threads: an Updater belongs to one thread at a time. fetch() starts threads of its own, which have ended when it
returns; ``progress`` is called in the caller's thread.
"""

from __future__ import annotations

from enigm_tuf.errors import EnigmTufError, MalformedError, MisuseError, TransportError
from enigm_tuf.model.value import replace
from enigm_tuf.ports import DeviceClock, Fetcher, Installer, Store
from enigm_tuf.trust import agreement
from enigm_tuf.trust.artifact import VerifiedArtifact
from enigm_tuf.trust.eligibility import DeviceFacts
from enigm_tuf_client.decision import Decision
from enigm_tuf_client.offer import Check, Known, Offer
from enigm_tuf_client.targets import hashed_path

TYPE_CHECKING = False  # without importing typing
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class Updater:
    """One device, one product. Not for use from two threads at once; the store refuses a second process."""

    def __init__(
        self,
        *,
        store: Store,
        fetcher: Fetcher,
        facts: DeviceFacts,
        clock: DeviceClock,
        mirrors: Sequence[Fetcher] = (),
    ) -> None:
        """``mirrors`` are asked in order where ``fetcher`` fails or what it serves is refused."""
        self._store = store
        self._fetchers = (fetcher, *mirrors)
        self._facts = facts
        self._clock = clock

    def check(self) -> Check:
        """Refresh the metadata and decide. TransportError, StateError, MalformedError.

        A whole check talks to one mirror. What one of them proved stays proved, so the next can only be newer.
        """
        check: Check | None = None
        trouble: EnigmTufError | None = None
        with self._store.exclusive():
            for fetcher in self._fetchers:
                try:
                    check = Decision(self._store, fetcher, self._facts, self._clock).run()
                except (TransportError, MalformedError) as error:
                    trouble = error
                else:
                    if check.refusal is None:
                        return check
        if check is None:
            raise trouble or MisuseError("there is no fetcher")
        return check

    def fetch(
        self, offer: Offer, destination: Path, progress: Callable[[int, int], None] | None = None
    ) -> VerifiedArtifact:
        """Stream the offer's payload to ``destination``, verified while it is written.

        Nothing unverified gets that name. ``<destination>.part`` is taken up again after a cut. A ``destination``
        in the installer's place() is not copied again. RefusedError TARGET-HASH or CHUNK-HASH, TransportError.
        """
        from enigm_tuf_client.download import Wanted, download

        agreed = offer.agreed
        path = f"targets/{hashed_path(agreed.payload.path, offer.sha256)}"
        wanted = Wanted(path, agreed.payload.length, agreed.payload.hashes, agreed.chunks)
        digests = download(self._fetchers, wanted, destination, progress)
        return agreement.admit_artifact(agreed, destination, digests.length, digests.hashes)

    def verify(self, offer: Offer, file: Path) -> VerifiedArtifact:
        """A payload that is here already: hash it again; RefusedError ARTIFACT-INTEGRITY."""
        from enigm_tuf_client.download import digest_file

        digests = digest_file(file, offer.agreed.payload.length, offer.agreed.payload.hashes)
        return agreement.admit_artifact(offer.agreed, file, digests.length, digests.hashes)

    def install(self, offer: Offer, artifact: VerifiedArtifact, installer: Installer) -> None:
        """Hand over, and only after the installer confirms raise the rollback floor.

        MisuseError if a check since the offer found anything new: the offer may have been withdrawn.
        """
        product = offer.agreed.product
        if not agreement.is_of(artifact, offer.agreed) or product != self._facts.product:
            raise MisuseError("this artifact is not the one that was offered to this device")
        with self._store.exclusive():
            state = self._store.load()
            if offer.known != Known.by(state, product):
                raise MisuseError("this device knows more than when the offer was made: check again")
            floor = state.rollback_floors.get(product, 0)
            agreement.rollback_index(offer.agreed, floor)
            installer.install(artifact)
            floors = {**state.rollback_floors, product: max(floor, artifact.rollback_index)}
            installed = {**state.installed, product: (artifact.version, artifact.build_id)}
            self._store.commit(replace(state, rollback_floors=floors, installed=installed))
