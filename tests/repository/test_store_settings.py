"""``[store]`` and ``--store``: read strictly, and never a credential in them, nor in what is said."""

import io
from pathlib import Path

import pytest

from enigm_testkit.vendor import Vendor
from enigm_tuf.errors import MalformedError, MisuseError
from enigm_tuf_repository.cli.sending import Sending
from enigm_tuf_repository.stores.backends import one_line, open_backend
from enigm_tuf_repository.stores.settings import STORE_SETTINGS, STORE_URL, StoreSettings


@pytest.mark.parametrize(
    "url",
    [
        "s3://updates",
        "s3://updates/phones/eu",
        "gs://my_bucket.example/x",
        "az://account1/container/phones",
        "az://abc/con",
    ],
)
def test_a_url_that_names_a_place(url: str) -> None:
    assert STORE_URL.read(url, "test", "url") == url
    assert open_backend(StoreSettings(url, region="us-east-1")).prefix in {None, *url.split("/", 3)[3:], "phones"}


@pytest.mark.parametrize(
    "url",
    [
        "s3://key:secret@updates/phones",
        "s3://updates/phones?region=x",
        "s3://updates/../phones",
        "s3://updates/.probe",
        "s3://Updates",
        "s3://updates/",
        "az://account1",
        "az://account1/container?sig=secret",
        "file:///srv/www",
        "https://updates.example.com/phones",
        "/srv/www",
        "",
    ],
)
def test_a_url_with_anything_else_in_it_is_refused(url: str) -> None:
    with pytest.raises(MalformedError):
        STORE_URL.read(url, "test", "url")


@pytest.mark.parametrize(
    "wrong",
    [
        {"access_key_id": "x"},
        {"secret_access_key": "x"},
        {"endpoint": "https://user:secret@s3.example.com"},
        {"endpoint": "s3.example.com"},
        {"public_url": "https://updates.example.com/?token=x"},
        {"tag_quoting": "none"},
        {"path_style": "yes"},
        {"timestamp_seconds": 86_401},
        {"timestamp_seconds": -1},
    ],
)
def test_settings_are_read_strictly(wrong: dict[str, object]) -> None:
    STORE_SETTINGS.read({"url": "s3://updates"}, "test", "store")
    with pytest.raises(MalformedError):
        STORE_SETTINGS.read({"url": "s3://updates", **wrong}, "test", "store")


@pytest.mark.parametrize("url", ["gs://updates/phones", "az://account1/container"])
def test_a_token_that_can_be_used_by_who_hears_it_goes_through_tls(url: str) -> None:
    with pytest.raises(MisuseError, match="TLS"):
        open_backend(StoreSettings(url, endpoint="http://storage.example.com"))
    open_backend(StoreSettings(url, endpoint="https://storage.example.com"))
    open_backend(StoreSettings(url, endpoint="http://127.0.0.1:4443"))


def test_what_a_library_says_is_one_line_without_what_stands_in_a_query() -> None:
    said = one_line(ValueError("PUT https://x.blob.core.windows.net/c/a?sv=1&sig=SECRET failed: 403\n<xml>\n"))

    assert said == "PUT https://x.blob.core.windows.net/c/a failed: 403"
    assert one_line(ValueError()) == "ValueError"


def test_a_wrong_store_is_named_with_its_field(vendor: Vendor, capsys: pytest.CaptureFixture[str]) -> None:
    assert vendor.run("store", "check", "--store", "s3://key:secret@updates") == 2
    assert "error: --store: must be s3://bucket/prefix" in capsys.readouterr().err
    assert vendor.run("store", "check") == 2
    assert "hint: name it by --store URL, or in [store] of repository.toml" in capsys.readouterr().err

    file = vendor.workspace.configuration_file
    file.write_text(file.read_text() + '\n[store]\nurl = "s3://updates"\nsecret_access_key = "x"\n')
    assert vendor.run("status") == 2
    assert "store.secret_access_key: unknown field" in capsys.readouterr().err


def test_progress_is_shown_where_somebody_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    (tmp_path / "file").write_bytes(b"x" * 1_000)
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with Sending([tmp_path / "file"]) as sent:
        sent(400)
        sent(600)
    shown = terminal.getvalue()

    assert shown == "\r 40 % of 1 files, 1,000 bytes \r100 % of 1 files, 1,000 bytes \n"
