"""Sockets passed by systemd."""

import os
import socket

from tradingd.kits.systemd_socket import listen_fds


def test_sockets_are_taken_by_name_once() -> None:
    one, two = socket.socketpair(socket.AF_UNIX)
    # Descriptors in a row, as systemd passes them, far from those in use.
    os.dup2(one.fileno(), 200)
    os.dup2(two.fileno(), 201)
    given = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "2", "LISTEN_FDNAMES": "control:other"}
    passed = listen_fds(given, first=200)
    assert {name: len(sockets) for name, sockets in passed.items()} == {"control": 1, "other": 1}
    passed["control"][0].send(b"x")
    assert passed["other"][0].recv(1) == b"x"
    assert not os.get_inheritable(200)
    assert given == {}
    assert listen_fds(given, first=200) == {}
    for each in (one, two, *passed["control"], *passed["other"]):
        each.close()


def test_sockets_for_another_process_or_of_no_sense_are_not_taken() -> None:
    other = {"LISTEN_PID": str(os.getpid() + 1), "LISTEN_FDS": "1"}
    assert listen_fds(other) == {}
    assert other == {}
    assert listen_fds({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "-1"}) == {}
    assert listen_fds({}) == {}
