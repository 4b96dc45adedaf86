"""The visitor's login at the Hub: whether this Space offers one. Whose token came, an event is told."""

from __future__ import annotations

import importlib.util
import os
from typing import Literal

from workbench.ui.guards import on_a_space

Offer = Literal["no", "incomplete", "yes"]

# What a Space with ``hf_oauth: true`` sets, and what gradio[oauth] brings: else Gradio would not start.
_VARIABLES = ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_SCOPES", "OPENID_PROVIDER_URL")
_MODULES = ("authlib", "itsdangerous")


def login_offer() -> Offer:
    """Whether visitors can log in here.

    Returns:
        ``no`` outside a Space, or in one that asks for no login; ``incomplete`` where it asks for one and
        something that it takes is missing.
    """
    if not on_a_space() or not os.environ.get(_VARIABLES[0]):
        return "no"
    complete = all(os.environ.get(name) for name in _VARIABLES)
    installed = all(importlib.util.find_spec(name) is not None for name in _MODULES)
    return "yes" if complete and installed else "incomplete"
