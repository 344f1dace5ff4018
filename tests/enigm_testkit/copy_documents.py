"""The documents of backups, as a real ceremony writes them but for their secrets: for parsers."""

from base64 import b64encode

from enigm_testkit.authorities import NOW
from enigm_testkit.custodians import SoftKey, key_record
from enigm_tuf.model.backup import Backup, BackupStatement, RestoreProof, RestoreStatement
from enigm_tuf.model.inventory import AllowedObject, Inventory, InventoryKey
from enigm_tuf.model.keys import TokenRecord, attribute_records
from enigm_tuf.model.strict_json import sha256
from enigm_tuf.model.value import replace
from enigm_tuf.model.wrapping import WrappingKey, WrappingPlace

TOKEN = TokenRecord("Maker", "Model", "1", "2.0")
SPARE = replace(TOKEN, serial="2")
BLOB = b"wrapped" * 10
WRAPPING = WrappingKey(
    "5f" * 16,
    "kek",
    "staging",
    "AES_KEY_WRAP_KWP",
    (
        WrappingPlace(TOKEN, "wrap", attribute_records({"wrap": True, "check_value": "a1b2c3"})),
        WrappingPlace(SPARE, "unwrap", attribute_records({"unwrap": True, "check_value": "a1b2c3"})),
    ),
    NOW,
)
BACKUP = Backup(
    BackupStatement(
        key="a" * 64,
        label="payload",
        authority="release",
        environment="staging",
        custodian="frank",
        token=TOKEN,
        wrapping_key=WRAPPING.id,
        mechanism="AES_KEY_WRAP_KWP",
        blob_sha256=sha256(BLOB),
        inventory="b" * 64,
        made=NOW,
    ),
    b64encode(BLOB).decode(),
    "00ff",
)
PROOF = RestoreProof(
    RestoreStatement(
        key="a" * 64,
        authority="release",
        environment="staging",
        blob_sha256=sha256(BLOB),
        wrapping_key=WRAPPING.id,
        token=SPARE,
        witness="grace",
        nonce="0" * 64,
        inventory="b" * 64,
        proved=NOW,
    ),
    "00ff",
)


def inventory(key: SoftKey) -> Inventory:
    """One key, one wrapping key, one thing more."""
    keys = (InventoryKey(key_record(key, "payload"), "active"),)
    return Inventory(1, "release", "staging", None, keys, (AllowedObject("1", "data", "note"),), (WRAPPING,))
