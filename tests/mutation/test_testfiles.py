"""A proposed assertion becomes a test of its own, with all that it needs and nothing that it does not."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

from orchestrator.mutation import testfiles
from orchestrator.mutation.testfiles import Taken

MODULE = '''
    """Orders."""

    from __future__ import annotations

    import json, os
    from typing import TYPE_CHECKING

    import pytest

    from shop import a_thing, another

    if TYPE_CHECKING:
        from shop import Client

    ITEM = "pen"
    LIMIT = 3


    @pytest.fixture
    def stored(client):
        client.post("/orders", json=body())
        return 1


    @pytest.fixture(autouse=True)
    def no_clock():
        pass


    def body():
        return {"item": ITEM}


    def unused():
        return json.dumps(LIMIT)


    def test_listed(client: Client, stored):
        """All are listed."""
        response = client.get("/orders")
        assert response.status_code == 200
        found = response.get_json()
        assert found["items"]
        assert len(response.get_json()["items"]) == 1
        assert client.get("/orders").status_code == 200


    class Base:
        pass


    class TestOne(Base):
        """One order."""

        number = 1

        def send(self, client):
            return client.get(f"/orders/{self.number}")

        def test_other(self, client):
            assert os.sep

        @pytest.mark.parametrize("way", [a_thing, 2])
        async def test_shown(self, client, way):
            with way:
                answer = self.send(client)
                assert answer.headers["etag"] == "1"
                answer.close()
            assert other
'''
SOURCE = textwrap.dedent(MODULE).lstrip()


def line_of(text: str) -> int:
    return next(k for k, line in enumerate(SOURCE.split("\n"), 1) if text in line)


def taken(text: str) -> Taken:
    found = testfiles.taken("tests/test_orders.py", "GET /orders", SOURCE, line_of(text))
    assert found
    return found


def test_a_function_comes_with_what_it_needs_and_without_other_assertions() -> None:
    files = testfiles.files([(taken("len(response"), "why")])
    assert files == {
        "test_proposed_get_orders.py": (
            textwrap.dedent('''
                """Proposed by `orchestrator propose` for GET /orders."""

                from __future__ import annotations

                from typing import TYPE_CHECKING
                import pytest

                if TYPE_CHECKING:
                    from shop import Client

                ITEM = "pen"


                @pytest.fixture
                def stored(client):
                    client.post("/orders", json=body())
                    return 1


                @pytest.fixture(autouse=True)
                def no_clock():
                    pass


                def body():
                    return {"item": ITEM}


                def test_listed_with_its_length_items(client: Client, stored):
                    response = client.get("/orders")
                    # why
                    assert len(response.get_json()["items"]) == 1
            ''').lstrip(),
            [(0, "test_listed_with_its_length_items")],
        )
    }


def test_a_method_comes_with_its_class_and_without_what_follows() -> None:
    (content, names) = testfiles.files([(taken('answer.headers["etag"]'), "why")])["test_proposed_get_orders.py"]
    assert names == [(0, "TestOne::test_shown_with_its_etag")]
    assert content.endswith(
        textwrap.dedent("""
            class Base:
                pass


            class TestOne(Base):
                number = 1

                def send(self, client):
                    return client.get(f"/orders/{self.number}")

                @pytest.mark.parametrize("way", [a_thing, 2])
                async def test_shown_with_its_etag(self, client, way):
                    with way:
                        answer = self.send(client)
                        # why
                        assert answer.headers["etag"] == "1"
        """)
    )
    assert "from shop import a_thing\n" in content
    assert "import os" not in content


def test_tests_of_one_file_and_class_stand_together_and_what_they_share_once() -> None:
    method, function = taken('answer.headers["etag"]'), taken("len(response")
    (content, names) = testfiles.files([(method, "1"), (function, "2"), (method, "3")])["test_proposed_get_orders.py"]
    assert [name for _, name in sorted(names)] == [
        "TestOne::test_shown_with_its_etag",
        "test_listed_with_its_length_items",
        "TestOne::test_shown_with_its_etag_2",
    ]
    assert content.count("class TestOne") == content.count("def no_clock") == content.count("import pytest") == 1
    compile(content, "x", "exec")


def test_what_means_something_else_under_one_name_goes_into_another_file() -> None:
    other = SOURCE.replace('ITEM = "pen"', 'ITEM = "ink"')
    second = testfiles.taken("tests/test_ink.py", "GET /orders", other, line_of("len(response"))
    assert second
    files = testfiles.files([(taken("len(response"), ""), (second, "")])
    assert list(files) == ["test_proposed_get_orders.py", "test_proposed_get_orders_2.py"]
    assert 'ITEM = "ink"' in files["test_proposed_get_orders_2.py"][0]


def test_tests_that_differ_in_their_assertions_alone_become_one() -> None:
    one = taken("len(response")
    other = testfiles.taken(
        "tests/test_orders.py",
        "GET /orders",
        SOURCE.replace("assert len(response.get_json()", "assert (response.get_json()"),
        line_of("len(response"),
    )
    assert other
    assert testfiles.merged([one, taken('answer.headers["etag"]'), other]) == [[0, 2], [1]]
    assert len(testfiles.joined([one, other, one]).assertions) == 2


def test_what_is_in_a_class_of_a_class_is_left() -> None:
    source = "class TestA:\n    class TestB:\n        def test_c(self):\n            assert 1\n"
    assert testfiles.taken("t.py", "", source, 4) is None


def test_a_line_that_is_too_long_with_the_new_name_is_wrapped() -> None:
    name = "test_" + "long_" * 8 + "name"
    source = (
        f"def {name}(client, {', '.join('fixture' * 2 + str(k) for k in range(3))}):\n    assert client.text == 1\n"
    )
    found = testfiles.taken("t.py", "", source, 2)
    assert found
    (content, _) = testfiles.files([(found, "why")])["test_proposed_other_requests.py"]
    assert max(map(len, content.split("\n"))) <= 120
    compile(content, "x", "exec")


def test_it_stays_in_its_own_folder_if_that_is_within_the_wanted_one() -> None:
    test = taken("len(response")
    assert testfiles.folder_of(test, ".") == "tests"
    assert testfiles.folder_of(test, "tests") == "tests"
    assert testfiles.folder_of(test, "more/tests") == "more/tests"


def test_what_is_made_runs(tmp_path: Path) -> None:
    source = textwrap.dedent("""
        import pytest
        import unittest

        SIZE = 3


        @pytest.fixture(name="thing")
        def make_thing():
            return [1] * SIZE


        def test_thing(thing):
            found = thing
            assert found[0] == 1
            assert len(found) == 3


        class TestCase(unittest.TestCase):
            def setUp(self):
                self.value = SIZE

            def test_value(self):
                assert self.value == 3
    """)
    lines = source.split("\n")
    tests = [
        testfiles.taken("t.py", "", source, next(k for k, line in enumerate(lines, 1) if text in line))
        for text in ("len(found)", "self.value == 3")
    ]
    for name, (content, _) in testfiles.files([(t, "why") for t in tests if t]).items():
        (tmp_path / name).write_text(content)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed" in done.stdout, done.stdout
