"""Tests of the UUID service; the folders mirror `backend/app`."""

import pytest

pytest.register_assert_rewrite("tests.backend.support")
