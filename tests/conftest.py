"""What all tests share: one way in which Hypothesis makes its data."""

from __future__ import annotations

import os
import signal

import pytest

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a script, where Ctrl-C is ignored; programs that tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Settle Hypothesis where it is used: the service's own tests need not wait until it is imported."""
    if config.pluginmanager.hasplugin("hypothesispytest"):
        from hypothesis import settings  # noqa: PLC0415 - it takes a second

        settings.register_profile("ours", deadline=None, database=None, derandomize="CI" in os.environ)
        settings.load_profile("ours")
