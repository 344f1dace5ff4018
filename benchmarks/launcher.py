"""Runs one command and prints what it cost, as JSON.

A process of its own, since the peak memory that Linux reports for a child is never below that of the process that
started it: this one holds about 10 MiB, the harness far more. ``python -I -S launcher.py OUTPUT COMMAND...``
"""

import json
import os
import sys
import time


def main() -> None:
    output, command = sys.argv[1], sys.argv[2:]
    into = [(os.POSIX_SPAWN_OPEN, fd, output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for fd in (1, 2)]
    start = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=into)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    wall = time.perf_counter() - start
    with open(f"/proc/{pid}/io") as file:  # noqa: PTH123 - pathlib would cost memory here
        io = dict(line.split(": ") for line in file.read().splitlines())  # of a process that ended, so of all of it
    _, status, usage = os.wait4(pid, 0)
    cost = {
        "status": os.waitstatus_to_exitcode(status),
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss * 1024,
        "read": int(io["rchar"]),
        "written": int(io["wchar"]),
    }
    sys.stdout.write(json.dumps(cost))


main()
