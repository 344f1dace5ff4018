"""Faults at every system call that changes the disk: a C shim, a process that forks victims, checks of what is left.

``shim.c`` is preloaded into ``zygote.py``, which runs ``enigm-update`` in a fork of its own for each order;
``machine.py`` is the test's end of it; ``calls.py`` reads the log; ``durability.py`` checks the order of the calls;
``power_cut.py`` undoes what no fsync made durable.
"""
