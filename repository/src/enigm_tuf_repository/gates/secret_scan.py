"""SECRET-SCAN: no private key in what is published, what was asked for, or what is in the artifacts."""

from enigm_tuf_repository.gates.context import GateContext
from enigm_tuf_repository.gates.gate import Evidence, Progress
from enigm_tuf_repository.leaks.leaks import closed_of, leaks_of, require_no_leak
from enigm_tuf_repository.leaks.owners import enrolled_keys
from enigm_tuf_repository.leaks.scanning import Scan, files_below
from enigm_tuf_repository.rules import RepositoryRule

FOLDERS = ("staged", "requests", "responses", "approvals", "settings")


class SecretScan:
    """Reads everything that the record holds, archives inside archives, and images."""

    rule = RepositoryRule.SECRET_SCAN
    proves = (
        "In the staged files, requests and answers, in archives inside them (zip, tar, gz, xz, lzma, bz2, zst, lz4), "
        "in what is packed so anywhere inside other files, in the partitions of full update packages, in sparse images "
        "and in the files of EROFS and squashfs no private key was recognised, and each of these images could be "
        "looked into. Keys: PEM (encrypted too), PKCS#8, PKCS#1 and SEC 1 in DER, PKCS#12, OpenSSH, PGP, JWK, PuTTY, "
        "Java key stores, SoftHSM objects, and base64 of them."
    )
    does_not_prove = (
        "That there is none in another form: raw numbers, encrypted containers, wraps that only their maker knows, "
        "brotli and patches. Archives that could not be opened are listed among the facts."
    )

    def applies(self, context: GateContext) -> str:
        """Always."""
        del context
        return ""

    def run(self, context: GateContext, progress: Progress) -> Evidence:
        """RefusedError SECRET-SCAN says where, what, and whose."""
        folder = context.workspace.record(context.record.id)
        files = [path for name in FOLDERS if (folder / name).is_dir() for path in files_below(folder / name)]
        total = sum(path.stat().st_size for path in files)
        scan = Scan(folder=folder)
        scan.moved = lambda _: progress(min(scan.scanned, total), total)
        for path in files:
            scan.path(path, str(path.relative_to(folder)))
        exceptions = context.workspace.configuration().secret_exceptions or ()
        leaks = leaks_of(scan, enrolled_keys(context.workspace), exceptions, context.now)
        require_no_leak(leaks, closed_of(scan, exceptions, context.now))
        excused = {leak.found.candidate.digest: leak.excused for leak in leaks}
        told = f", {len(excused)} excused" if excused else ""
        unread = f", {len(scan.unread)} containers not opened" if scan.unread else ""
        return Evidence(
            f"{scan.files} files and members, {scan.scanned:,} bytes, no private key{told}{unread}",
            {"bytes": scan.scanned, "excused": excused, "not_opened": scan.unread[:100]},
        )


GATE = SecretScan()
