"""What of the worker needs no Pact core: it can't be loaded where tests fork."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

NAMED = {"description": "a"}
CALL = "import json, sys; from orchestrator.adapters.pact_worker import pieces; "
CALL += "print(json.dumps(list(pieces(json.load(sys.stdin)))))"


@pytest.mark.parametrize(
    ("pact", "expected"),
    [
        (
            {"interactions": [{"description": "a"}, {}], "messages": [{}], "metadata": {"a": 1}},
            [
                {"metadata": {"a": 1}, "interactions": [{"description": "a"}]},
                {"metadata": {"a": 1}, "interactions": [{"description": "Interaction 1"}]},
                {"metadata": {"a": 1}, "messages": [{"description": "Message 0"}]},
            ],
        ),
        ({"interactions": [{}, {}], "metadata": {"plugins": [{"name": "protobuf"}]}}, None),
        ({"interactions": [NAMED], "metadata": None}, [{"metadata": None, "interactions": [NAMED]}]),
        ({"interactions": [NAMED] * 399}, [{"interactions": [NAMED] * 3}] * 133),
    ],
)
def test_a_pact_is_verified_in_pieces_unless_plugins_would_start_for_each(
    pact: dict[str, Any], expected: list[Any] | None
) -> None:
    call = [sys.executable, "-c", CALL]
    done = subprocess.run(call, input=json.dumps(pact), capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ([pact] if expected is None else expected)
