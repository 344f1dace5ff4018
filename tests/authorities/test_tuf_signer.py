"""python-tuf's own ``Metadata.sign`` on our tokens: for what was approved, and for nothing else."""

from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import pytest
from securesystemslib.exceptions import UnverifiedSignatureError
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Targets

from enigm_testkit.house import PIN, House, build_house, read
from enigm_testkit.recovery import get_on
from enigm_testkit.spy_module import SpyModule
from enigm_tuf.audit.log import EntryType
from enigm_tuf.audit.merkle import read_log
from enigm_tuf.authorities.home import open_home
from enigm_tuf.authorities.judging import Brought
from enigm_tuf.authorities.payload_signing import PayloadSigner
from enigm_tuf.authorities.signing import Custodian, approved_signer
from enigm_tuf.authorities.tuf_signer import ApprovedSigner
from enigm_tuf.errors import MisuseError, RefusedError
from enigm_tuf.model.words import last_words
from enigm_tuf.ports import Token


def ballots(house: House, request: Path) -> tuple[bytes, ...]:
    return tuple(Path(str(part)).read_bytes() for part in house.votes(request) if part != "--approval")


def opened(
    house: House, token: Token, label: str, envelopes: tuple[bytes, ...] | None = None
) -> AbstractContextManager[PayloadSigner]:
    request = house.request("root-1")
    envelopes = ballots(house, request) if envelopes is None else envelopes
    custodian = Custodian(token, label, lambda _: PIN, lambda _: None)
    return approved_signer(open_home(house.home("release")), read(request), Brought(envelopes), custodian, house.clock)


@pytest.fixture
def spy(house: House, tmp_path: Path) -> SpyModule:
    del house
    return SpyModule(tmp_path / "spy")


@pytest.fixture(scope="module")
def on_card(tmp_path_factory: pytest.TempPathFactory) -> House:
    """root-a is a PIV card here."""
    return build_house(tmp_path_factory.mktemp("house") / "card", "root-a")


@pytest.fixture(params=["softhsm", "piv"])
def own(request: pytest.FixtureRequest) -> House:
    house: House = request.getfixturevalue("house" if request.param == "softhsm" else "on_card")
    return house


def root_of(house: House) -> Metadata[Root]:
    (data,) = read(house.request("root-1")).below("payloads").values()
    return Metadata[Root].from_bytes(b'{"signatures":[],"signed":' + data.replace(b"\n", b"\\n") + b"}")


def entries(house: House) -> list[EntryType]:
    return [entry.type for entry in read_log(house.home("release") / "audit.log")]


@pytest.mark.rule("SIGN-APPROVED", "accept")
def test_python_tuf_signs_an_approved_root_with_any_token(own: House) -> None:
    root, token = root_of(own), own.edges().open_token(own.uri("root-a"))
    with opened(own, token, own.label("root-a")) as signer:
        root.sign(ApprovedSigner(signer))
    keyid = own.key("root-a").keyid
    root.signed.keys[keyid].verify_signature(root.signatures[keyid], root.signed_bytes)
    assert entries(own)[-3:] == [EntryType.SIGN_INTENT, EntryType.SIGN_PERFORMED, EntryType.SESSION_CLOSE]


def test_a_payload_is_signed_once_in_a_session_and_the_same_signature_given_again(house: House, spy: SpyModule) -> None:
    root, token = root_of(house), house.edges().open_token(f"pkcs11:token=root-a?module-path={spy.module}")
    with opened(house, token, "root-a") as signer:
        first, *others = (ApprovedSigner(signer).sign(root.signed_bytes) for _ in range(3))
        house.clock.time += timedelta(days=30)
        others.append(ApprovedSigner(signer).sign(root.signed_bytes))
    assert all(other == first for other in others)
    assert spy.signatures == 1
    assert entries(house).count(EntryType.SIGN_PERFORMED) == 1


@pytest.mark.rule("REQUEST-TIME", "reject")
def test_a_request_that_runs_out_while_the_session_is_open_is_signed_no_more(house: House, spy: SpyModule) -> None:
    root, token = root_of(house), house.edges().open_token(f"pkcs11:token=root-a?module-path={spy.module}")
    ends = read(house.request("root-1")).index.expires
    with opened(house, token, "root-a") as signer:
        house.clock.time = ends
        with pytest.raises(RefusedError, match=r"REQUEST-TIME: request .* when it or a waiver of it ends"):
            ApprovedSigner(signer).sign(root.signed_bytes)
        assert spy.signatures == 0
        assert entries(house)[-1] == EntryType.SIGN_REFUSED
        assert EntryType.SIGN_INTENT not in entries(house)


@pytest.mark.rule("REQUEST-TIME", "accept")
def test_in_its_last_second_it_is_signed(house: House) -> None:
    root, token = root_of(house), house.edges().open_token(house.uri("root-a"))
    with opened(house, token, "root-a") as signer:
        house.clock.time = read(house.request("root-1")).index.expires - timedelta(seconds=1)
        root.sign(ApprovedSigner(signer))
    assert entries(house).count(EntryType.SIGN_PERFORMED) == 1


@pytest.mark.rule("SIGN-INTENT-OPEN", "reject")
def test_a_signature_in_doubt_stops_the_session_too(house: House, spy: SpyModule) -> None:
    """Another intent in the log must not take the place of the one that is open."""
    root, token = root_of(house), house.edges().open_token(f"pkcs11:token=root-a?module-path={spy.module}")
    with opened(house, token, "root-a") as signer:
        spy.fail("corrupt")
        with pytest.raises(RefusedError, match="SIGNATURE-SELF-CHECK"):
            ApprovedSigner(signer).sign(root.signed_bytes)
        spy.fail("")
        with pytest.raises(RefusedError, match="SIGN-INTENT-OPEN"):
            ApprovedSigner(signer).sign(root.signed_bytes)
    assert spy.signatures == 1
    assert entries(house).count(EntryType.SIGN_INTENT) == 1


@pytest.mark.rule("SIGN-APPROVED", "reject")
def test_python_tuf_signs_nothing_that_differs_in_one_field(house: House) -> None:
    root, token = root_of(house), house.edges().open_token(house.uri("root-a"))
    root.signed.version += 1
    with opened(house, token, "root-a") as signer:
        with pytest.raises(RepositoryError) as caught:
            root.sign(ApprovedSigner(signer))
        refusal = caught.value.__cause__
        assert isinstance(refusal, RefusedError)
        assert refusal.rule == "SIGN-APPROVED"
        with pytest.raises(RepositoryError):
            Metadata(Targets()).sign(ApprovedSigner(signer))
    assert not root.signatures
    assert EntryType.SIGN_INTENT not in entries(house)


def test_without_approvals_there_is_no_signer(house: House) -> None:
    token = house.edges().open_token(house.uri("root-a"))
    with pytest.raises(RefusedError, match="QUORUM-COUNT"), opened(house, token, "root-a", ()):
        pytest.fail("a signer")


def test_there_is_no_way_from_a_uri_to_a_signer(house: House) -> None:
    root = root_of(house)
    key = root.signed.keys[house.key("root-a").keyid]
    with pytest.raises(MisuseError, match="without an approved request"):
        ApprovedSigner.from_priv_key_uri(house.uri("root-a"), key)


# --- a module that fails, through the command line ---


def signs_through(house: House, spy: SpyModule, out: str = "answer.enigmresp", **answers: str) -> int:
    request = house.request("root-1")
    arguments = house.custodian(request, "root-a", house.path / out, house.votes(request))
    arguments[arguments.index(house.uri("root-a"))] = f"pkcs11:token=root-a?module-path={spy.module}"
    words = {"last_four_words": last_words(read(request).digest)}
    return house.sign(*arguments, **(words | answers))


@pytest.mark.parametrize(
    ("fault", "status", "said", "made"),
    [
        ("crash", 2, "its process died at 'sign' (SIGSEGV)", 0),
        ("corrupt", 3, "error: SIGNATURE-SELF-CHECK", 1),
    ],
)
def test_a_failing_module_is_one_line_and_no_signature_leaves(
    house: House, spy: SpyModule, fault: str, status: int, said: str, made: int, capsys: pytest.CaptureFixture[str]
) -> None:
    spy.fail(fault)
    assert signs_through(house, spy) == status
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert len(errors) == 1
    assert said in errors[0]
    assert spy.signatures == made
    assert not (house.path / "answer.enigmresp").exists()
    assert entries(house)[-2:] == [EntryType.SIGN_INTENT, EntryType.SIGN_REFUSED]
    spy.fail("")
    assert signs_through(house, spy) == 3
    get_on(house)
    assert signs_through(house, spy) == 0
    assert (house.path / "answer.enigmresp").exists()


def test_a_wrong_pin_reaches_no_signature(house: House, spy: SpyModule, capsys: pytest.CaptureFixture[str]) -> None:
    assert signs_through(house, spy, PIN="000000") == 2
    assert "wrong PIN" in capsys.readouterr().err
    assert spy.signatures == 0


def test_the_oracle_says_no_to_other_bytes(house: House) -> None:
    """That the accept test above could fail."""
    root, token = root_of(house), house.edges().open_token(house.uri("root-a"))
    with opened(house, token, "root-a") as signer:
        root.sign(ApprovedSigner(signer))
    keyid = house.key("root-a").keyid
    with pytest.raises(UnverifiedSignatureError):
        root.signed.keys[keyid].verify_signature(root.signatures[keyid], root.signed_bytes + b"!")
