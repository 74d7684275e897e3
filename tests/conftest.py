"""What all tests share: one way in which Hypothesis makes its data."""

from __future__ import annotations

import importlib.util
import os
import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a script, where Ctrl-C is ignored; programs that tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)

if importlib.util.find_spec("hypothesis"):  # the service's own tests also run where it is not installed
    from hypothesis import settings

    settings.register_profile("ours", deadline=None, database=None, derandomize="CI" in os.environ)
    settings.load_profile("ours")
