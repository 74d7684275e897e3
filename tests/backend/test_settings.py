from __future__ import annotations

import pytest

from backend.app.settings import ApiKey, Settings, SettingsError


def read(**variables: str) -> Settings:
    """Reads settings from variables, which are named here without their prefix."""
    return Settings.from_environment({f"UUID_SERVICE_{name}": value for name, value in variables.items()})


def test_what_is_not_set_has_its_default() -> None:
    assert read() == Settings(
        database_url="sqlite:///uuid-service.sqlite3",
        api_keys=(),
        log_level="INFO",
        max_body_bytes=4_194_304,
        idempotency_seconds=86_400,
        demo_data=False,
    )


def test_everything_can_be_set() -> None:
    settings = read(
        DATABASE_URL="sqlite://",
        API_KEYS="billing:read:hush",
        LOG_LEVEL="debug",
        MAX_BODY_BYTES="1000",
        IDEMPOTENCY_SECONDS="60",
        DEMO_DATA="1",
    )

    assert settings == Settings(
        database_url="sqlite://",
        api_keys=(ApiKey("billing", frozenset({"read"}), "hush"),),
        log_level="DEBUG",
        max_body_bytes=1000,
        idempotency_seconds=60,
        demo_data=True,
    )


def test_the_environment_of_the_process_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UUID_SERVICE_LOG_LEVEL", "ERROR")

    assert Settings.from_environment().log_level == "ERROR"


def test_several_keys_are_read() -> None:
    keys = read(API_KEYS="web:read+write:one, worker:write:t:w:o,\nmobile:read:three,").api_keys

    assert keys == (
        ApiKey("web", frozenset({"read", "write"}), "one"),
        ApiKey("worker", frozenset({"write"}), "t:w:o"),
        ApiKey("mobile", frozenset({"read"}), "three"),
    )


@pytest.mark.parametrize(
    "entry", ["web", "web:read", "web:read:", "web::hush", "web:admin:hush", ":read:hush", "Web:read:hush"]
)
def test_an_entry_that_is_no_key_is_named_by_its_place(entry: str) -> None:
    with pytest.raises(SettingsError, match=r"UUID_SERVICE_API_KEYS: entry 2 ") as refusal:
        read(API_KEYS=f"first:read:secret,{entry}")

    assert "hush" not in str(refusal.value)


@pytest.mark.parametrize("second", ["web:write:two", "worker:read:one"])
def test_names_and_secrets_must_differ(second: str) -> None:
    with pytest.raises(SettingsError, match="UUID_SERVICE_API_KEYS: names and secrets must differ"):
        read(API_KEYS=f"web:read:one,{second}")


def test_a_secret_is_not_shown() -> None:
    assert "hush" not in repr(read(API_KEYS="web:read:hush"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "LOUD"),
        ("LOG_LEVEL", ""),
        ("MAX_BODY_BYTES", "0"),
        ("MAX_BODY_BYTES", "-1"),
        ("MAX_BODY_BYTES", "4 MB"),
        ("IDEMPOTENCY_SECONDS", "1.5"),
        ("IDEMPOTENCY_SECONDS", ""),
        ("IDEMPOTENCY_SECONDS", "1000000000"),
        ("DEMO_DATA", "maybe"),
        ("DEMO_DATA", ""),
    ],
)
def test_a_value_that_can_not_be_used_is_refused_with_its_variable(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^UUID_SERVICE_{name}: "):
        read(**{name: value})


@pytest.mark.parametrize(("value", "seconds"), [("1", 1), ("999999999", 999_999_999)])
def test_a_lifetime_may_be_at_its_bounds(value: str, seconds: int) -> None:
    assert read(IDEMPOTENCY_SECONDS=value).idempotency_seconds == seconds


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("TRUE", True), ("yes", True), ("0", False), ("False", False), ("no", False)]
)
def test_a_switch_is_read(value: str, *, expected: bool) -> None:
    assert read(DEMO_DATA=value).demo_data is expected
