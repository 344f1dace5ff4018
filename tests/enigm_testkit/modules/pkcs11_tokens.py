"""PKCS#11 modules: SoftHSM, p11-kit's client and server, tpm2-pkcs11 on a software TPM, NSS through p11-kit's proxy."""

import contextlib
import ctypes
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from enigm_testkit.modules import NO_ML_DSA, Target
from enigm_testkit.softhsm import MODULE as SOFTHSM
from enigm_testkit.softhsm import SoftHsm
from enigm_testkit.spy_module import SpyModule
from enigm_testkit.vpcd import listens
from enigm_tuf.authorities.tokens.hsm.token import Pkcs11Token, TokenName
from enigm_tuf.ports import Algorithm, Token

_LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
_PIN = "12345678"
NO_EDDSA: dict[Algorithm, str] = {"ed25519": "lacks CKM_EDDSA"}
NO_PSS: dict[Algorithm, str] = dict.fromkeys(("rsa-pss-3072", "rsa-pss-4096"), "lacks CKM_RSA_PKCS_PSS")

NO_WRAPPING = "do not both have CKM_AES_KEY_WRAP_KWP or CKM_AES_KEY_WRAP_PAD"


def named(module: Path | str, label: str) -> Token:
    """The token with that label."""
    return Pkcs11Token(TokenName(str(module), {"label": label}))


@contextlib.contextmanager
def softhsm(folder: Path) -> Iterator[Target]:
    """SoftHSM 2, behind a module that counts its signatures."""
    SoftHsm(folder / "softhsm").token("soft", _PIN)
    spy = SpyModule(folder / "spy")
    yield Target(
        "SoftHSM2", lambda: named(spy.module, "soft"), _PIN, lacks=NO_ML_DSA, signatures=lambda: spy.signatures
    )


@contextlib.contextmanager
def p11_kit(folder: Path) -> Iterator[Target]:
    """SoftHSM in another process, across a socket: what a network HSM is to us."""
    with p11_kit_server(folder):
        client = _LIBRARIES / "pkcs11/p11-kit-client.so"
        lacks = NO_ML_DSA | NO_EDDSA
        yield Target("p11-kit server", lambda: named(client, "net"), _PIN, lacks=lacks, no_copies=NO_WRAPPING)


@contextlib.contextmanager
def p11_kit_server(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """The server alone, which a test may kill. Its token is called net."""
    SoftHsm(folder / "behind").token("net", _PIN)
    runtime, address = folder / "runtime", folder / "hsm.sock"
    runtime.mkdir(mode=0o700)
    os.environ.update({"XDG_RUNTIME_DIR": str(runtime), "P11_KIT_SERVER_ADDRESS": f"unix:path={address}"})
    command = ["p11-kit", "server", "--provider", SOFTHSM, "-f", "-n", str(address), "pkcs11:token=net"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline().startswith("P11_KIT_SERVER_ADDRESS=")
            yield server
        finally:
            server.terminate()


@contextlib.contextmanager
def tpm2(folder: Path) -> Iterator[Target]:
    """tpm2-pkcs11 over swtpm, which locks after three wrong PINs."""
    state, store = folder / "state", folder / "store"
    state.mkdir()
    store.mkdir()
    prepare = ["swtpm_setup", "--tpm2", "--tpmstate", str(state), "--createek", "--decryption", "--overwrite"]
    subprocess.run([*prepare, "--config", "/dev/null"], check=True, capture_output=True)
    port = _two_free_ports()
    command = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}"]
    command += ["--flags", "not-need-init,startup-clear"]
    for option, number in (("--server", port), ("--ctrl", port + 1)):
        command += [option, f"type=tcp,port={number},bindaddr=127.0.0.1"]
    with subprocess.Popen(command) as tpm:
        try:
            _wait_for(port)
            tcti = f"swtpm:host=127.0.0.1,port={port}"
            settings = {"TPM2TOOLS_TCTI": tcti, "TPM2_PKCS11_TCTI": tcti, "TPM2_PKCS11_STORE": str(store)}
            os.environ.update(settings | {"TPM2_PKCS11_LOG_LEVEL": "0"})
            module = _LIBRARIES / "pkcs11/libtpm2_pkcs11.so"
            _tool(module, "--init-token", "--label", "tpm", "--slot-index", "0")
            _tool(module, "--init-pin", "--token-label", "tpm", "--pin", _PIN)
            lacks = NO_ML_DSA | NO_EDDSA | NO_PSS
            yield Target("tpm2-pkcs11", lambda: named(module, "tpm"), _PIN, lacks=lacks, no_copies=NO_WRAPPING)
        finally:
            tpm.terminate()


def _tool(module: Path, *arguments: str) -> None:
    command = ["pkcs11-tool", "--module", str(module), "--so-pin", "so-12345678", *arguments]
    subprocess.run(command, check=True, capture_output=True)


@contextlib.contextmanager
def nss(folder: Path) -> Iterator[Target]:
    """NSS softokn, which must be given arguments that only p11-kit's proxy knows how to pass."""
    database, modules = folder / "db", folder / "pkcs11" / "modules"
    database.mkdir()
    modules.mkdir(parents=True)
    (database / "pw").write_text(_PIN)
    subprocess.run(["certutil", "-N", "-d", f"sql:{database}", "-f", database / "pw"], check=True)
    (modules / "nss.module").write_text(
        f"module: {_LIBRARIES}/libsoftokn3.so\n"
        f"x-init-reserved: configdir='sql:{database}' certPrefix='' keyPrefix='' secmod='secmod.db' flags=\n"
    )
    for other in ("opensc-pkcs11", "p11-kit-trust", "softhsm2", "tpm2_pkcs11"):
        (modules / f"{other}.module").write_text("enable-in: none-such\n")
    _configure_p11_kit(folder / "pkcs11")
    proxy = _LIBRARIES / "p11-kit-proxy.so"
    lacks = NO_ML_DSA | NO_EDDSA
    yield Target("NSS softokn", lambda: named(proxy, "NSS Certificate DB"), _PIN, lacks=lacks, no_copies="User type")


def _configure_p11_kit(folder: Path) -> None:
    """p11-kit reads no settings of root's own: this process, and what it starts, sees ``folder`` as /etc/pkcs11."""
    if os.geteuid() != 0:
        os.environ["XDG_CONFIG_HOME"] = str(folder.parent)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    new_namespace, private, recursive, bind = 0x00020000, 1 << 18, 1 << 14, 1 << 12
    Path("/etc/pkcs11").mkdir(exist_ok=True)
    done = (
        libc.unshare(new_namespace),
        libc.mount(b"none", b"/", None, private | recursive, None),
        libc.mount(str(folder).encode(), b"/etc/pkcs11", None, bind, None),
    )
    assert done == (0, 0, 0), os.strerror(ctypes.get_errno())


def _two_free_ports() -> int:
    """A TCP port of the loopback that nobody has now, and the next one neither: the TPM's clients expect both."""
    while True:
        with socket.socket() as first, socket.socket() as second, contextlib.suppress(OSError, OverflowError):
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            second.bind(("127.0.0.1", port + 1))
            return port


def _wait_for(port: int) -> None:
    for _ in range(200):
        if listens(port):  # looked up, not tried: swtpm would take a connection for its one client
            return
        time.sleep(0.02)
    raise TimeoutError(f"nobody listens on port {port}")
