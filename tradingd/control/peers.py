"""Who is at the other end of a Unix socket, and what they may do; from the kernel alone."""

import functools
import grp
import os
import pwd
import socket
import struct
from typing import Final

import msgspec

from tradingd.control.messages import Peer
from tradingd.kits.failure import ExitCode, Failure

_PEERGROUPS: Final = 59
"""SO_PEERGROUPS (asm-generic/socket.h, Linux 4.13): groups at the time of the connect."""

_MOST: Final = 1024
"""Bytes of group ids asked for: Python's limit, 256 groups."""


class Caller(msgspec.Struct, frozen=True):
    """A peer with the groups its process had when it connected."""

    peer: Peer
    groups: frozenset[int]


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Who may look and who may act; the daemon's own user and root may do both.

    Parameters
    ----------
    own_uid : int
        User the daemon runs as.
    viewers, operators : int, optional
        Group ids; None: nobody by group. Operators may look too.
    """

    own_uid: int
    viewers: int | None = None
    operators: int | None = None

    def may_act(self, caller: Caller) -> bool:
        """Whether the caller may change something."""
        return caller.peer.uid in (0, self.own_uid) or self.operators in caller.groups

    def may_look(self, caller: Caller) -> bool:
        """Whether the caller may see anything at all."""
        return self.may_act(caller) or self.viewers in caller.groups


def caller_of(connection: socket.socket) -> Caller:
    """Return the process that connected a Unix socket."""
    cred = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    pid, uid, gid = struct.unpack("3i", cred)
    peer = Peer(uid=uid, pid=pid, name=user_name(uid))
    return Caller(peer, _peer_groups(connection, uid, gid) | {gid})


def _peer_groups(connection: socket.socket, uid: int, gid: int) -> frozenset[int]:
    try:
        raw = connection.getsockopt(socket.SOL_SOCKET, _PEERGROUPS, _MOST)
    except OSError:
        # An older kernel, or more groups than fit: what the user database says of the user.
        return frozenset(_listed_groups(uid, gid))
    return frozenset(struct.unpack(f"{len(raw) // 4}I", raw))


@functools.lru_cache(maxsize=256)
def _listed_groups(uid: int, gid: int) -> tuple[int, ...]:
    try:
        return tuple(os.getgrouplist(pwd.getpwuid(uid).pw_name, gid))
    except KeyError:
        return ()


# Kept: the user database may be a slow directory service, and this runs on the event loop.
@functools.lru_cache(maxsize=256)
def user_name(uid: int) -> str:
    """Return a user's name, or the number where the user database has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_id(name: str) -> int:
    """Return the id of a group.

    Raises
    ------
    Failure
        ``CONFIG`` when there is no such group.
    """
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as error:
        raise Failure(
            "no such group on this machine",
            code=ExitCode.CONFIG,
            found=name,
            next_step=f"groupadd --system {name}, or name another group",
        ) from error
