"""Refuses connections beyond this machine, by PYTHONPATH in every Python process that the tests start."""

from __future__ import annotations

import ipaddress
import os
import socket
from pathlib import Path
from typing import Any, NoReturn


def _is_here(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost", socket.gethostname()):
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _refuse(what: str) -> NoReturn:
    # Whatever becomes of the exception, the run fails for it at its end.
    with Path(os.environ["TESTS_OFFLINE_LOG"]).open("a", encoding="utf-8") as log:
        log.write(f"process {os.getpid()} tried to {what}\n")
    # An OSError would be taken for a missing network, retried and forgiven.
    raise RuntimeError(f"A test tried to {what}: nothing may leave this machine")


def _guarded(original: Any) -> Any:
    def connect(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            _refuse(f"reach {address!r}")
        return original(self, address)

    return connect


def _guarded_look_up(original: Any) -> Any:
    def getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        try:
            is_address = bool(ipaddress.ip_address(str(host)))
        except ValueError:
            is_address = False
        if not is_address and not _is_here(host):
            _refuse(f"look up {host!r}")
        return original(host, *rest, **named)

    return getaddrinfo


socket.socket.connect = _guarded(socket.socket.connect)  # type: ignore[method-assign]
socket.socket.connect_ex = _guarded(socket.socket.connect_ex)  # type: ignore[method-assign]
socket.getaddrinfo = _guarded_look_up(socket.getaddrinfo)
