"""The path from a leaf to the pinned root: an attacker's tricks, each one thing away from the accepted path."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from enigm_testkit.attestation_ca import END, START, AttestationCa, Odd, certificate, common_name
from enigm_testkit.attestation_paths import GOOD, KEY, NOW, SPKI, USUAL, Link, Signer, path
from enigm_testkit.piv_card import VirtualPivCard
from enigm_testkit.piv_people import attested
from enigm_tuf.authorities.tokens.attestation import verify_attestation
from enigm_tuf.errors import RefusedError

SECOND = timedelta(seconds=1)


def accepts(*links: Link, leaf: Odd | None = None, now: datetime = NOW) -> bool:
    """Whether the path to its own root is taken; the root is pinned, and does not come along."""
    *chain, root = path(*links, leaf=leaf)
    return verify_attestation(tuple(chain), (root,), SPKI, now).serial == 1001


def refuses(says: str, *links: Link, leaf: Odd | None = None, now: datetime = NOW) -> None:
    with pytest.raises(RefusedError, match=f"TOKEN-ATTESTATION-CHAIN: {says}"):
        accepts(*links, leaf=leaf, now=now)


@pytest.mark.rule("TOKEN-ATTESTATION-CHAIN", "accept")
def test_the_makers_chain_of_2025_is_taken() -> None:
    assert accepts(*USUAL)


def test_the_chain_before_it_is_taken() -> None:
    assert accepts(Link(length=0), Link(length=1))


def test_a_chain_may_bring_the_pinned_root_along() -> None:
    chain = path(*USUAL)
    assert verify_attestation(chain, chain[-1:], SPKI, NOW).serial == 1001


def test_one_of_several_pinned_roots_is_enough() -> None:
    *chain, root = path(*USUAL)
    other = AttestationCa().root.public_bytes(Encoding.DER)
    assert verify_attestation(tuple(chain), (other, root), SPKI, NOW).serial == 1001


@pytest.mark.rule("TOKEN-ATTESTATION-CHAIN", "reject")
def test_another_root_is_refused() -> None:
    other = AttestationCa("elsewhere").root.public_bytes(Encoding.DER)
    for roots, pinned in (((other,), "CN=elsewhere"), ((), "none")):
        with pytest.raises(RefusedError, match=rf"TOKEN-ATTESTATION-CHAIN: end: expected a pinned root .{pinned}."):
            verify_attestation(path(*USUAL)[:-1], roots, SPKI, NOW)


def test_a_root_of_the_same_name_is_another_root() -> None:
    *chain, _ = path(*USUAL)
    *_, namesake = path(*USUAL)
    with pytest.raises(RefusedError, match="TOKEN-ATTESTATION-CHAIN: end"):
        verify_attestation(tuple(chain), (namesake,), SPKI, NOW)


def test_a_leaf_without_the_cards_own_certificate_is_refused() -> None:
    chain = path(*USUAL)
    with pytest.raises(RefusedError, match="TOKEN-ATTESTATION-CHAIN: end"):
        verify_attestation(chain[:1], chain[-1:], SPKI, NOW)


@pytest.mark.parametrize("place", range(4))
def test_above_the_leaf_there_are_authorities_alone(place: int) -> None:
    links = [Link(ca=place != number) for number in range(4)]
    refuses("authority: expected certificates of authorities above the leaf", *links)


def test_an_attested_key_cannot_attest_another() -> None:
    """The attacker has a card: its attested key signs a certificate for a key in software."""
    ca, card = AttestationCa(), VirtualPivCard(1001)
    card.attestation = ca.issue_card(1001)
    chain, _ = attested(card)
    attested_key = card.slots[0x9C].key
    name = common_name(x509.load_der_x509_certificate(chain[0]))
    forged = certificate("9c", KEY.public_key(), name, attested_key, ca=False, extensions=GOOD)
    with pytest.raises(RefusedError, match="TOKEN-ATTESTATION-CHAIN: authority"):
        verify_attestation(
            (forged.public_bytes(Encoding.DER), *chain), (ca.root.public_bytes(Encoding.DER),), SPKI, NOW
        )


def test_a_certificate_of_an_authority_attests_no_key() -> None:
    """The card's own certificate, shown as if it were the leaf."""
    chain = path(*USUAL)
    with pytest.raises(RefusedError, match="TOKEN-ATTESTATION-CHAIN: leaf: expected a certificate of a key"):
        verify_attestation(chain[1:], chain[-1:], SPKI, NOW)


@pytest.mark.parametrize("place", [1, 2, 3])
def test_one_authority_more_than_a_path_length_allows_is_refused(place: int) -> None:
    links = [Link(length=number - (number == place)) for number in range(4)]
    refuses(f"path length: expected {place - 1} authorities below CN={place}, got {place}", *links)


@pytest.mark.parametrize("place", range(4))
def test_a_key_for_other_uses_signs_no_certificate(place: int) -> None:
    def links(*, signs: bool) -> list[Link]:
        return [Link(odd=Odd(usage=signs if place == number else None)) for number in range(4)]

    assert accepts(*links(signs=True))
    refuses(f"key usage: expected a key for signing certificates, got CN={place}", *links(signs=False))


@pytest.mark.parametrize("place", range(5))
def test_every_certificate_is_in_force_to_the_second(place: int) -> None:
    """Place 0 is the leaf, the last one the pinned root."""

    def refused(now: datetime, odd: Odd) -> None:
        links = [Link(odd=odd if place == number + 1 else Odd()) for number in range(4)]
        leaf = odd if place == 0 else None
        refuses(f"dates: expected {odd.start:%Y-%m-%d}", *links, leaf=leaf, now=now)

    start = NOW - timedelta(days=7)
    refused(NOW, Odd(start=NOW + SECOND))
    refused(NOW, Odd(start=start, end=NOW - SECOND))
    links = [Link(odd=Odd(start=NOW, end=NOW)) for _ in range(4)]
    assert accepts(*links, leaf=Odd(start=NOW, end=NOW))


def test_a_clock_before_the_maker_made_the_card_is_refused() -> None:
    assert accepts(*USUAL, now=START)
    refuses("dates", *USUAL, now=START - SECOND)
    assert accepts(*USUAL, now=END)


def rsa_key(size: int) -> Callable[[], Signer]:
    return lambda: rsa.generate_private_key(65537, size)


@pytest.mark.parametrize(
    "make",
    [rsa_key(2048), lambda: ec.generate_private_key(ec.SECP384R1()), Ed25519PrivateKey.generate],
)
def test_strong_keys_of_authorities_are_taken(make: Callable[[], Signer]) -> None:
    assert accepts(Link(make=make), Link())


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("make", [rsa_key(1024), lambda: ec.generate_private_key(ec.SECP256K1())])
def test_weak_keys_of_authorities_are_not(place: int, make: Callable[[], Signer]) -> None:
    links = [Link(make=make) if place == number else Link() for number in range(2)]
    refuses("key: expected RSA of 2048 bits or more", *links)


def test_a_weak_hash_is_refused() -> None:
    assert accepts(Link(), Link(), leaf=Odd(hash_of=hashes.SHA384()))
    refuses("hash: expected one of sha256, sha384, sha512, got sha224", *USUAL, leaf=Odd(hash_of=hashes.SHA224()))


@pytest.mark.parametrize("place", range(5))
def test_a_critical_extension_that_nobody_here_knows_is_refused(place: int) -> None:
    """A name constraint, say: it would limit what we cannot check."""

    def links(odd: Odd) -> list[Link]:
        return [Link(odd=odd if place == number + 1 else Odd()) for number in range(4)]

    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.41482.3.99"), b"\x05\x00")
    known, critical = Odd(more=((unknown, False),)), Odd(more=((unknown, True),))
    assert accepts(*links(known), leaf=known if place == 0 else None)
    refuses("extension: expected none that is critical", *links(critical), leaf=critical if place == 0 else None)


def test_a_leaf_of_another_card_does_not_fit_this_cards_certificate() -> None:
    """Two cards of one maker, each with a chain of its own that is taken."""
    *one, root = path(*USUAL)
    *two, _ = path(*USUAL)
    with pytest.raises(RefusedError, match="TOKEN-ATTESTATION-CHAIN: signature: expected signed by CN=0"):
        verify_attestation((one[0], *two[1:]), (root,), SPKI, NOW)
