"""Who may see a run: a secret made here and kept by its owner, of which only a hash is stored."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

from workbench.errors import InvalidValueError

_SECRET = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True)
class Operator:
    """The person at the machine itself, who could read the files anyway: the command line, never a page."""


OPERATOR: Final = Operator()

# An owner's secret, or the operator.
Access = str | Operator


def new_owner() -> str:
    """A fresh secret of 128 random bits, as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def owner_hash(secret: str) -> str:
    """What is stored of a secret: its sha256.

    Raises:
        InvalidValueError: ``owner-secret``: not a secret made by `new_owner`.
    """
    if not isinstance(secret, str) or _SECRET.fullmatch(secret) is None:
        raise InvalidValueError(
            "owner-secret",
            "something else",
            expected="an owner's secret made by this app",
            fix="Reload the page",
        )
    return hashlib.sha256(secret.encode()).hexdigest()


def may_see(access: Access, stored_hash: str) -> bool:
    """Whether the holder of ``access`` may see, stop and delete a run. Compares in constant time."""
    if isinstance(access, Operator):
        return True
    try:
        asked = owner_hash(access)
    except InvalidValueError:
        return False
    return hmac.compare_digest(asked, stored_hash)
