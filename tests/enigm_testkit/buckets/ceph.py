"""Ceph's RADOS gateway, a whole cluster of one node in memory, without systemd. Installed when a slow test asks for it.

Its gateway compares ETags without their quotes up to Pacific (16), which Debian 12 has.
"""

import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from enigm_testkit.buckets.environment import ROOT
from enigm_testkit.buckets.servers import Bucket, end, free_port, new_key, s3_bucket, wait_for

PACKAGES = {
    "ceph-mon": "the monitor of a Ceph cluster",
    "ceph-osd": "its storage",
    "ceph-common": "its tools",
    "radosgw": "its S3 gateway, which wants ETags without quotes",
}
_CONF = """
[global]
fsid = {fsid}
mon host = v1:127.0.0.1:{mon}
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {folder}/keyring
run dir = {folder}
admin socket = {folder}/$cluster-$name.asok
log file = {folder}/$name.log
pid file = {folder}/$name.pid
mon data = {folder}/mon
mon allow pool size one = true
mon warn on pool no redundancy = false
auth allow insecure global id reclaim = true
osd data = {folder}/osd
osd objectstore = memstore
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr2 = false
rgw frontends = beast endpoint=127.0.0.1:{rgw}
rgw data = {folder}/rgw
"""


@contextmanager
def ceph(folder: Path) -> Iterator[Bucket]:
    """Monitor, OSD and gateway, each in the foreground and gone afterwards."""
    _install()
    folder.mkdir(parents=True, exist_ok=True)
    mon, rgw, fsid = free_port(), free_port(), str(uuid.uuid4())
    (folder / "ceph.conf").write_text(_CONF.format(folder=folder, mon=mon, rgw=rgw, fsid=fsid))
    cluster = _Cluster(folder)
    with ExitStack() as stack:
        cluster.make_monitor(mon, fsid)
        stack.enter_context(cluster.daemon("ceph-mon", "-f", "-i", "a"))
        cluster.make_osd()
        stack.enter_context(cluster.daemon("ceph-osd", "-f", "-i", "0"))
        cluster.wait_until_up()
        key, secret = new_key()
        user = ["--uid=vendor", "--display-name=Vendor", f"--access-key={key}", f"--secret-key={secret}"]
        cluster.run("radosgw-admin", "user", "create", *user)
        gateway = stack.enter_context(cluster.daemon("radosgw", "-f", "-n", "client.admin"))
        wait_for(rgw, gateway, folder / "radosgw.out")
        bucket = s3_bucket(rgw, (key, secret))
        yield replace(bucket, settings={**bucket.settings, "tag_quoting": "bare"})


class _Cluster:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._conf = ["-c", str(folder / "ceph.conf")]

    def run(self, program: str, *arguments: str | Path, stdin: str | None = None) -> str:
        command = [program, *(str(part) for part in arguments), *self._conf]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, input=stdin)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def make_monitor(self, port: int, fsid: str) -> None:
        keyring, map_ = self._folder / "keyring", self._folder / "monmap"
        everything = ["--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *"]
        _tool("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        _tool("ceph-authtool", keyring, "--gen-key", "-n", "client.admin", *everything)
        _tool("monmaptool", "--create", "--addv", "a", f"[v1:127.0.0.1:{port}]", "--fsid", fsid, map_)
        self.run("ceph-mon", "--mkfs", "-i", "a", "--monmap", map_, "--keyring", keyring)

    def make_osd(self) -> None:
        """``osd new`` and ``--mkfs`` are given the same id, or the OSD stays down without a word."""
        identity, secret = str(uuid.uuid4()), _tool("ceph-authtool", "--gen-print-key").strip()
        self.run("ceph", "osd", "new", identity, "-i", "-", stdin=f'{{"cephx_secret": "{secret}"}}')
        (self._folder / "osd").mkdir()
        _tool("ceph-authtool", "--create-keyring", self._folder / "osd/keyring", "-n", "osd.0", "--add-key", secret)
        key = ["--keyring", str(self._folder / "osd/keyring")]
        self.run("ceph-osd", "--mkfs", "-i", "0", "--osd-uuid", identity, *key)

    def wait_until_up(self) -> None:
        for _ in range(120):
            if "1 up" in self.run("ceph", "osd", "stat"):
                return
            time.sleep(0.25)
        raise AssertionError(self.run("ceph", "status"))

    @contextmanager
    def daemon(self, program: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
        extra = ["--keyring", str(self._folder / "osd/keyring")] if program == "ceph-osd" else []
        with (self._folder / f"{program}.out").open("wb") as log:
            command = [program, *arguments, *extra, *self._conf]
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                yield process
            finally:
                end(process)


def _tool(*command: str | Path) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


def _install() -> None:
    """64 MB that `make set-up` need not fetch."""
    sys.path.insert(0, str(ROOT))
    from scripts.set_up import install_packages

    tools: Sequence[str] = ("ceph-mon", "ceph-osd", "ceph-authtool", "radosgw", "radosgw-admin")
    if not all(shutil.which(tool) for tool in tools):
        assert install_packages(PACKAGES), "the packages of Ceph could not be installed"
