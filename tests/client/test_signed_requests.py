"""A device that shows who it is: over mutual TLS, each request signed, to a service that demands both."""

import json
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from enigm_testkit.vendor import Vendor
from enigm_testkit.web import FileServer, serving
from enigm_testkit.web_pki import WebCa
from enigm_tuf.errors import EnigmTufError
from enigm_tuf.model.http_signature import HttpRequest
from enigm_tuf.trust.request_signature import verify_request
from enigm_tuf_client.cli import Edges, main

CONFIGURATION = """environment = "staging"
product = "phone"
hardware_id = "phone-a"
channel = "stable"
device_id = "device-1"
cohorts = []
url = "{url}"
ca_file = "ca.pem"
certificate_file = "device.pem"
key_file = "device.key"
"""
SIGNED = 'request_key_file = "request.pem"\nrequest_keyid = "device-1"\nevidence_file = "evidence.bin"\n'


class Service(FileServer):
    """Serves only who is enrolled; remembers the nonces, so that no request counts twice."""

    def __init__(self, vendor: Vendor, key: Ed25519PrivateKey) -> None:
        super().__init__(vendor.published, "ranges")
        self.vendor = vendor
        self.keys = {"device-1": key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)}
        self.nonces: set[str] = set()

    def admits(self, asked: BaseHTTPRequestHandler) -> bool:
        fields = {name.lower(): value for name, value in asked.headers.items()}
        request = HttpRequest(asked.command, fields["host"], asked.path, fields)
        try:
            found = verify_request(request, self.keys, self.vendor.clock.now(), timedelta(minutes=5))
        except EnigmTufError:
            return False
        is_new = found.nonce not in self.nonces
        self.nonces.add(found.nonce)
        return is_new


class Enrolled:
    """A device's folder, with the files that its maker and the service gave it."""

    def __init__(self, vendor: Vendor, path: Path, url: str, ca: WebCa, key: Ed25519PrivateKey) -> None:
        self.vendor, self.path = vendor, path
        self.device = path / "device"
        self.config = path / "device.toml"
        self.config.write_text(CONFIGURATION.format(url=url) + SIGNED)
        root = str(vendor.published / "metadata/1.root.json")
        assert self.run("init", "--root", root, "--config", str(self.config)) == 0
        certificate, private = ca.issue("device")
        for name, data in {
            "ca.pem": ca.ca_file.read_bytes(),
            "device.pem": Path(certificate).read_bytes(),
            "device.key": Path(private).read_bytes(),
            "request.pem": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
            "evidence.bin": b"what the platform attests",
        }.items():
            (self.device / name).write_bytes(data)

    def run(self, *arguments: str) -> int:
        return main([*arguments, "--device", str(self.device)], Edges(self.vendor.clock))

    def configure(self, old: str, new: str) -> None:
        file = self.device / "device.toml"
        file.write_text(file.read_text().replace(old, new))


@pytest.fixture
def device(released: Vendor, tmp_path: Path) -> Iterator[Enrolled]:
    key = Ed25519PrivateKey.generate()
    (tmp_path / "pki").mkdir()
    ca = WebCa(tmp_path / "pki", "vendor")
    with serving(Service(released, key), ca.server_context()) as url:
        yield Enrolled(released, tmp_path, url, ca, key)


def test_an_enrolled_device_updates_and_its_report_says_how_it_asked(
    device: Enrolled, capsys: pytest.CaptureFixture[str]
) -> None:
    assert device.run("check", "--json") == 0, capsys.readouterr().err
    report = {item["control"]: item for item in json.loads(capsys.readouterr().out)["report"]}
    assert report["transport"]["verdict"] == report["request"]["verdict"] == "pass"
    assert report["transport"]["evidence"] == "TLS, a pinned CA, with a client certificate"
    told = "signed by key device-1 (ed25519, RFC 9421), with evidence of the platform"
    assert report["request"]["evidence"] == told
    assert device.run("fetch") == 0
    assert device.run("install") == 0


def test_a_device_that_does_not_sign_is_told_nothing(device: Enrolled, capsys: pytest.CaptureFixture[str]) -> None:
    device.configure(SIGNED, "")
    assert device.run("check") == 2
    assert "status 401" in capsys.readouterr().err


def test_a_device_with_another_key_is_told_nothing(device: Enrolled, capsys: pytest.CaptureFixture[str]) -> None:
    other = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (device.device / "request.pem").write_bytes(other)
    assert device.run("check") == 2
    assert "status 401" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('request_keyid = "device-1"\n', "", "request_key_file: a request key has a file and a keyid"),
        ('request_keyid = "device-1"', 'request_keyid = "a b"', "request_keyid: must be a key's name"),
        ("request.pem", "gone.pem", "gone.pem: no such file or directory"),
        ("request.pem", "device.pem", "not a PEM private key without a password"),
        ("evidence.bin", "gone.bin", "gone.bin: no such file or directory"),
    ],
)
def test_a_mistake_in_the_configuration_is_one_line(
    device: Enrolled, capsys: pytest.CaptureFixture[str], old: str, new: str, error: str
) -> None:
    device.configure(old, new)
    assert device.run("check") == 2
    assert error in capsys.readouterr().err


def test_evidence_that_no_server_would_take_is_refused(device: Enrolled, capsys: pytest.CaptureFixture[str]) -> None:
    (device.device / "evidence.bin").write_bytes(bytes(6_001))
    assert device.run("check") == 2
    assert "at most 6,000 bytes of evidence" in capsys.readouterr().err
