"""What all tests share: one way in which Hypothesis makes its data."""

from __future__ import annotations

import importlib.util
import os

if importlib.util.find_spec("hypothesis"):  # the service's own tests also run where it is not installed
    from hypothesis import settings

    settings.register_profile("ours", deadline=None, database=None, derandomize="CI" in os.environ)
    settings.load_profile("ours")
