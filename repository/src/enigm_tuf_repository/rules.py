"""What the repository demands before it hands anything on. The gates' rules are among them."""

from enigm_tuf.trust.rules import Rule


class RepositoryRule(Rule):
    """Each refuses on its own."""

    RECORD_EVIDENCE = "RECORD-EVIDENCE", "a step runs on the very bytes that the steps before it saw, and on no others"
    RESPONSE_REQUEST = "RESPONSE-REQUEST", "an authority's response answers a request of this record"
    RESPONSE_DECISION = "RESPONSE-DECISION", "the authority passed the request, by every rule"
    RESPONSE_SIGNATURE = "RESPONSE-SIGNATURE", "a response signs all that was asked, with keys of the roles"
    VERIFY_NGCLIENT = "VERIFY-NGCLIENT", "python-tuf's client accepts the staged tree and downloads every new target"
    GATE_SET = "GATE-SET", "every pinned gate is there, ran and passed; what others add can only refuse"
    VERIFY_ROOTS = "VERIFY-ROOTS", "a device at any root that was ever published reaches the newest release"
    PAYLOAD_BYTES = "PAYLOAD-BYTES", "payloads on the disk are those of the manifest and of the payload record"
    VERSION_INCREASE = "VERSION-INCREASE", "every role and the release are newer than what is published"
    NEGATIVE_CLIENT = "NEGATIVE-CLIENT", "the device client refuses the staged tree under every attack, by its rule"
    FREEZE_WINDOW = "FREEZE-WINDOW", "no release goes out while repository.toml says that none does"
    DECISIONS = "DECISIONS", "every authority that was asked passed it by every rule, and all that is staged is theirs"
    INVENTORY_FRESH = "INVENTORY-FRESH", "each token that signed was compared with its inventory, and not long ago"
    TWO_VERIFIERS = "TWO-VERIFIERS", "two implementations accepted, after signing, the very files that are staged"
    SECRET_SCAN = (
        "SECRET-SCAN",
        "no private key is in what is built, asked for or published, and each image there was looked into",
    )
    EXPIRY_HORIZON = "EXPIRY-HORIZON", "no role expires within a tenth of its life after publication"
    PUBLISHED_TREE = (
        "PUBLISHED-TREE",
        "published metadata holds signed versions of the roles in force, and nothing else",
    )
    TREE_WHOLE = "TREE-WHOLE", "every role that a snapshot names is published before it, or with it"
    TREE_INTACT = "TREE-INTACT", "every file of a published tree is as it was signed, and there is no other"
    STORE_CONDITIONAL = (
        "STORE-CONDITIONAL",
        "the store refuses to create what is there, and to replace what has changed",
    )
    STORE_MIRROR = "STORE-MIRROR", "the store is not behind what this machine knows was published, nor beside it"
    IMPORT_KEYS = "IMPORT-KEYS", "no key of ours signs in a repository that is imported from"
    PUBLIC_FETCH = "PUBLIC-FETCH", "what the public URL gives is what was published, byte for byte"


class ArtifactRule(Rule):
    """What release gates demand of the artifacts themselves."""

    ARTIFACT_KIND = "ARTIFACT-KIND", "every artifact is of a kind that repository.toml allows for its product"
    ARTIFACT_CLAIMS = "ARTIFACT-CLAIMS", "manifest and payload record say of an artifact what it says of itself"
    DELTA_SOURCE = "DELTA-SOURCE", "a delta starts from a build that was published, as one version"
    SBOM = "SBOM", "a bill of materials that the release authority bound to an artifact names it by its hash"
    ANDROID_METADATA = (
        "ANDROID-METADATA",
        "metadata, twin, properties and payload of an update package agree",
    )
    ANDROID_FINGERPRINT = "ANDROID-FINGERPRINT", "no test-keys and no userdebug or eng build"
    ANDROID_CERTIFICATE = "ANDROID-CERTIFICATE", "no certificate for tests in an update package"
    ANDROID_SIGNATURE = "ANDROID-SIGNATURE", "package, payload and its metadata are signed with a pinned update key"
    ANDROID_DOWNGRADE = "ANDROID-DOWNGRADE", "not older than the published release, unless the release says so"
    AVB_KEY = "AVB-KEY", "verified boot's keys are exactly the pinned ones, and no test keys"
    AVB_VERIFIED = "AVB-VERIFIED", "every image is the one that a signed vbmeta names, with verification on"
    ROLLBACK_INDEX_PRESENT = "ROLLBACK-INDEX-PRESENT", "vbmeta has a rollback index, and it is the manifest's"
    UPDATE_KEYS = "UPDATE-KEYS", "the update keys inside the images are exactly the pinned ones"
    BUNDLE_SIGNATURE = "BUNDLE-SIGNATURE", "a bundle is signed with a pinned key, and covers its bytes"
