"""Restoring a payload key on a spare token: for one signature, which is the proof that it can be done, or for good.

Checked before anything is unwrapped: the backup is of a key of the inventory, which signed it; the token is another
one; it is as the inventory says, and so is the wrapping key on it.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import MerkleLog, open_log
from enigm_tuf.authorities.backup.checking import require_of_key, require_spare
from enigm_tuf.authorities.enrolment import NO_PROOF, described, with_proof
from enigm_tuf.authorities.home import Home
from enigm_tuf.authorities.inventory.comparing import require_no_drift
from enigm_tuf.authorities.inventory.keeping import in_force
from enigm_tuf.authorities.signing_log import one_line
from enigm_tuf.authorities.token_fit import require_fit
from enigm_tuf.authorities.tokens.hsm.backup_token import BackupSession, BackupToken, Wrapped
from enigm_tuf.errors import EnigmTufError, RefusedError, StateError
from enigm_tuf.model.backup import Backup, RestoreProof, RestoreStatement
from enigm_tuf.model.keys import KeyRecord, attribute_records, record_key
from enigm_tuf.model.public_keys import spki_of
from enigm_tuf.model.value import replace
from enigm_tuf.ports import Clock, PinCallback
from enigm_tuf.trust.signable import restore_proved


@dataclass(frozen=True, slots=True)
class Spare:
    """The token that takes the copy, and ``witness``: who says to have been there."""

    token: BackupToken
    pin: PinCallback
    witness: str


@dataclass(frozen=True, slots=True)
class _Ready:
    """All checks passed. ``record`` is the key as the inventory lists it."""

    log: MerkleLog
    session: BackupSession
    record: KeyRecord
    backup: Backup
    inventory: str

    @property
    def wrapped(self) -> Wrapped:
        statement = self.backup.statement
        return Wrapped(self.backup.blob_bytes, statement.wrapping_key, statement.mechanism)

    @property
    def spki(self) -> bytes:
        return spki_of(record_key(self.record))

    def body(self, witness: str) -> dict[str, object]:
        """What the log says of every restore."""
        statement = self.backup.statement
        return {
            "key": statement.key,
            "blob_sha256": statement.blob_sha256,
            "wrapping_key": statement.wrapping_key,
            "serial": self.session.identity.serial,
            "inventory": self.inventory,
            "witness": witness,
        }


def prove_restore(home: Home, backup: Backup, spare: Spare, clock: Clock) -> RestoreProof:
    """Unwrap for one session, sign, verify, destroy; logged whether it works or not.

    RefusedError BACKUP-STATEMENT, BACKUP-SPARE, WRAPPING-KEY, INVENTORY, TOKEN-WRAPPING, SIGNATURE-SELF-CHECK.
    """
    with _checked(home, backup, spare, clock) as ready:
        return _prove(home, ready, spare, clock)


def restore(
    home: Home, backup: Backup, spare: Spare, label: str, confirm: Callable[[KeyRecord], None], clock: Clock
) -> KeyRecord:
    """Put the key on the spare for good; its record there. Nothing signs with it until operators vote for that.

    ``confirm`` raises unless a person says the words of the key. RefusedError: as ``prove_restore``.
    """
    with _checked(home, backup, spare, clock) as ready:
        confirm(ready.record)
        _prove(home, ready, spare, clock)
        ready.log.append(EntryType.KEY_RESTORED, ready.body(spare.witness) | {"label": label})  # first, as what it is
        key = ready.session.restore(ready.wrapped, ready.spki, label)
        record = replace(
            ready.record,
            token=described(ready.session.identity),
            label=label,
            attributes=attribute_records(key.attributes),
            proof=NO_PROOF,
            enrolled=clock.now().replace(microsecond=0),
        )
        return with_proof(ready.session, record)


@contextmanager
def _checked(home: Home, backup: Backup, spare: Spare, clock: Clock) -> Iterator[_Ready]:
    require_fit(spare.token.identity(), home.environment)
    with open_log(home.log, clock) as log:
        inventory, digest = in_force(home, log)
        record = require_of_key(home, inventory, backup)
        require_spare(inventory, backup, record, spare.token.identity())
        with spare.token.backup_session(spare.pin) as session:
            require_no_drift(inventory, session)
            yield _Ready(log, session, record, backup, digest)


def _prove(home: Home, ready: _Ready, spare: Spare, clock: Clock) -> RestoreProof:
    statement = RestoreStatement(
        key=ready.record.spki_sha256,
        authority=home.authority,
        environment=home.environment,
        blob_sha256=ready.backup.statement.blob_sha256,
        wrapping_key=ready.backup.statement.wrapping_key,
        token=described(ready.session.identity),
        witness=spare.witness,
        nonce=secrets.token_hex(32),
        inventory=ready.inventory,
        proved=clock.now().replace(microsecond=0),
    )
    body = ready.body(spare.witness)
    with _failures_logged(ready.log, body):
        signature = ready.session.prove(ready.wrapped, ready.spki, restore_proved(statement)).hex()
    ready.log.append(EntryType.RESTORE_PROVED, body | {"nonce": statement.nonce, "signature": signature})
    return RestoreProof(statement, signature)


@contextmanager
def _failures_logged(log: MerkleLog, body: dict[str, object]) -> Iterator[None]:
    """A copy that cannot be restored is the news that the drill is for."""
    try:
        yield
    except StateError:
        raise
    except EnigmTufError as error:
        rule = error.rule if isinstance(error, RefusedError) else type(error).__name__
        log.append(EntryType.RESTORE_FAILED, body | {"rule": rule, "reason": one_line(str(error), 2_000)})
        raise
