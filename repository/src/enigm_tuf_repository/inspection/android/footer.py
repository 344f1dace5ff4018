"""The whole-file signature of an update package, as ``signapk -w`` makes it and recovery verifies it.

The zip's comment ends with six bytes: the signature's distance from the end, 0xffff, the comment's length. The signed
bytes are all before the length of the comment; the signature is CMS in DER.
"""

import struct
from dataclasses import dataclass

from enigm_tuf.errors import MalformedError
from enigm_tuf_repository.inspection.cms import SignedData, read_signed_data
from enigm_tuf_repository.inspection.source import Source

FOOTER = struct.Struct("<HHH")
_COMMENT_LENGTH = 2  # bytes of the field before the comment


@dataclass(frozen=True, slots=True)
class WholeFileSignature:
    """The signature, and how many bytes from the start it is over."""

    cms: SignedData
    signed_bytes: int

    def verify(self, source: Source) -> None:
        """MalformedError unless the certificate in it signed the package."""
        self.cms.verify(source.pieces(0, self.signed_bytes))


def read_whole_file_signature(source: Source, comment: bytes) -> WholeFileSignature:
    """MalformedError where the package has none."""
    name = f"{source.name}: whole-file signature"
    if len(comment) < FOOTER.size:
        raise MalformedError(name, "", "missing; sign the package with signapk -w")
    distance, marker, length = FOOTER.unpack(comment[-FOOTER.size :])
    if marker != 0xFFFF or length != len(comment):
        raise MalformedError(name, "footer", "missing; sign the package with signapk -w")
    if not FOOTER.size < distance <= length:
        raise MalformedError(name, "footer", "the signature does not lie in the comment")
    cms = read_signed_data(comment[-distance : -FOOTER.size], name)
    if cms.content is not None:
        raise MalformedError(name, "eContent", "must be detached")
    return WholeFileSignature(cms, source.length - length - _COMMENT_LENGTH)
