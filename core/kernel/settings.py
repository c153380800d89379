"""Every setting of the service: one row each, read once from the environment into a frozen object.

The README's table is tested against SETTINGS. A value that cannot be read stops the start and names the variable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from core.kernel.exchange import RateProfile


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The service's settings; units are in the names, meanings in SETTINGS."""

    profile: str
    bind: str
    workers: int
    data_dir: str
    database_url: str
    database_pool_size: int
    database_timeout_seconds: float
    durability: str
    secret_keys: tuple[str, ...]
    setup_token: str | None
    problem_base: str
    response_check: str
    trusted_proxies: tuple[str, ...]
    header_timeout_seconds: float
    body_timeout_seconds: float
    idle_timeout_seconds: float
    graceful_timeout_seconds: float
    worker_connections: int
    heartbeat_seconds: float
    stream_queue_events: int
    stream_retry_ms: int
    job_concurrency: int
    delta_flush_ms: int
    delta_flush_bytes: int
    event_retention_hours: int
    idempotency_hours: int
    log_level: str
    auth_v1: bool
    limits_admin_api: bool
    rate_profiles: dict[str, RateProfile]
    well_known: bool
    well_known_entries: dict[str, str]
    ai_base_url: str | None
    ai_api_key: str | None
    ai_models: tuple[str, ...]
    ai_assistant_model: str
    ai_timeout_seconds: float
    ai_echo_delay_ms: int

    @property
    def is_dev(self) -> bool:
        return self.profile == "dev"

    @property
    def host(self) -> str:
        return self.bind.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.bind.rpartition(":")[2])

    @property
    def is_loopback(self) -> bool:
        return self.host in {"127.0.0.1", "::1", "localhost"}

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite:")


class SettingsError(Exception):
    """A setting that cannot be read; the message names the variable, the value and what is expected."""


class Row(NamedTuple):
    """One setting: environment variable, parser, default as text, unit (or ""), help."""

    variable: str
    parse: Callable[[str], Any]
    default: str
    unit: str
    help: str

    @property
    def field(self) -> str:
        return self.variable.removeprefix("ACCORD_").lower()

    @property
    def may_hold_secret(self) -> bool:
        """Say whether a message must not show the value; a URL may hold a password."""
        return any(word in self.variable for word in ("KEY", "TOKEN", "URL"))


def _boolean(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError("expected true or false")


def _choice(*names: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"expected one of {', '.join(names)}")
        return text

    return parse


def _number(kind: type[int] | type[float], low: float, high: float) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        value = kind(text)
        if not low <= value <= high:
            raise ValueError(f"expected {low:g} to {high:g}")
        return value

    return parse


def _list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _optional(text: str) -> str | None:
    return text or None


def _bind(text: str) -> str:
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("expected host:port")
    return text


def _mapping(text: str) -> dict[str, str]:
    return msgspec.json.decode(text, type=dict[str, str])


def _rate_profiles(text: str) -> dict[str, RateProfile]:
    return msgspec.json.decode(text, type=dict[str, RateProfile])


def _database_url(text: str) -> str:
    if not text or text.startswith(("sqlite:///", "postgresql://", "postgres://")):
        return text
    raise ValueError("expected sqlite:///FILE or postgresql://USER@HOST/NAME")


SETTINGS: tuple[Row, ...] = (
    Row("ACCORD_PROFILE", _choice("dev", "production"), "dev", "", "`dev` or `production`"),
    Row("ACCORD_BIND", _bind, "127.0.0.1:8080", "host:port", "where to listen"),
    Row("ACCORD_WORKERS", _number(int, 1, 256), "2", "processes", "gunicorn workers"),
    Row("ACCORD_DATA_DIR", str, ".accord", "folder", "database, metrics and the key file of this machine"),
    Row(
        "ACCORD_DATABASE_URL",
        _database_url,
        "",
        "URL",
        "`sqlite:///FILE` or `postgresql://…`; empty: SQLite in the data folder",
    ),
    Row(
        "ACCORD_DATABASE_POOL_SIZE", _number(int, 1, 1000), "20", "connections", "PostgreSQL connections of one worker"
    ),
    Row(
        "ACCORD_DATABASE_TIMEOUT_SECONDS",
        _number(float, 0.1, 600),
        "10",
        "s",
        "wait for a connection or a lock, then 503",
    ),
    Row(
        "ACCORD_DURABILITY",
        _choice("", "full", "normal"),
        "",
        "",
        "`full`: an acknowledged write survives power loss; `normal`: it survives kill -9 (SQLite); empty: full in production, normal in dev",
    ),
    Row(
        "ACCORD_SECRET_KEYS",
        _list,
        "",
        "list",
        "signing secrets, first signs, all verify; required in production, made once in the data folder in dev",
    ),
    Row(
        "ACCORD_SETUP_TOKEN",
        _optional,
        "",
        "",
        "both setup doors ask for it in X-Setup-Token, except in dev on loopback",
    ),
    Row("ACCORD_PROBLEM_BASE", str, "https://accord.dev/problems/", "URL", "prefix of a problem's `type`"),
    Row(
        "ACCORD_RESPONSE_CHECK",
        _choice("report", "enforce"),
        "report",
        "",
        "production: report a response that breaks the contract, or answer 500; dev always enforces",
    ),
    Row("ACCORD_TRUSTED_PROXIES", _list, "", "list", "addresses or networks whose X-Forwarded-For is believed"),
    Row("ACCORD_HEADER_TIMEOUT_SECONDS", _number(float, 0.1, 600), "10", "s", "deadline for a request's headers"),
    Row("ACCORD_BODY_TIMEOUT_SECONDS", _number(float, 0.1, 3600), "60", "s", "deadline for a request's body"),
    Row(
        "ACCORD_IDLE_TIMEOUT_SECONDS",
        _number(float, 0.1, 3600),
        "75",
        "s",
        "idle keep-alive connections are closed after this",
    ),
    Row(
        "ACCORD_GRACEFUL_TIMEOUT_SECONDS",
        _number(float, 0.1, 600),
        "10",
        "s",
        "a stop waits this long for requests under way",
    ),
    Row(
        "ACCORD_WORKER_CONNECTIONS", _number(int, 1, 1000000), "20000", "connections", "open connections of one worker"
    ),
    Row("ACCORD_HEARTBEAT_SECONDS", _number(float, 0.05, 300), "15", "s", "comment that keeps an idle stream open"),
    Row(
        "ACCORD_STREAM_QUEUE_EVENTS",
        _number(int, 1, 1000000),
        "1024",
        "events",
        "a client further behind is cut and resumes by Last-Event-ID",
    ),
    Row("ACCORD_STREAM_RETRY_MS", _number(int, 0, 3600000), "1000", "ms", "reconnect hint that a stream begins with"),
    Row("ACCORD_JOB_CONCURRENCY", _number(int, 1, 10000), "64", "jobs", "jobs that one worker runs at a time"),
    Row(
        "ACCORD_DELTA_FLUSH_MS", _number(int, 1, 10000), "50", "ms", "a reply's deltas are written together this often"
    ),
    Row("ACCORD_DELTA_FLUSH_BYTES", _number(int, 1, 1000000), "1024", "bytes", "or as soon as this much text waits"),
    Row(
        "ACCORD_EVENT_RETENTION_HOURS",
        _number(int, 1, 8760),
        "48",
        "h",
        "how long a stream can be resumed; older cursors get `reset`",
    ),
    Row(
        "ACCORD_IDEMPOTENCY_HOURS",
        _number(int, 1, 8760),
        "24",
        "h",
        "how long a repeated Idempotency-Key replays the first answer",
    ),
    Row(
        "ACCORD_LOG_LEVEL",
        _choice("debug", "info", "warning", "error"),
        "info",
        "",
        "least severe level that is logged",
    ),
    Row("ACCORD_AUTH_V1", _boolean, "true", "", "switch: cookie sessions (off: 404)"),
    Row("ACCORD_LIMITS_ADMIN_API", _boolean, "true", "", "switch: rate-limit administration (off: 404)"),
    Row(
        "ACCORD_RATE_PROFILES",
        _rate_profiles,
        "{}",
        "JSON",
        'rate profiles in place of the shipped ones, as `{"conversation.post": {"limit": 10, "window_seconds": 2}}`',
    ),
    Row("ACCORD_WELL_KNOWN", _boolean, "true", "", "switch: /.well-known (off: 404)"),
    Row("ACCORD_WELL_KNOWN_ENTRIES", _mapping, "{}", "JSON", "path → content served under /.well-known"),
    Row(
        "ACCORD_AI_BASE_URL", _optional, "", "URL", "OpenAI-compatible endpoint, for example http://127.0.0.1:11434/v1"
    ),
    Row("ACCORD_AI_API_KEY", _optional, "", "", "bearer key for that endpoint"),
    Row(
        "ACCORD_AI_MODELS",
        _list,
        "",
        "list",
        "models served by that endpoint; a name here replaces the echo of the same name",
    ),
    Row("ACCORD_AI_ASSISTANT_MODEL", str, "gpt-4", "", "model that answers in conversations"),
    Row(
        "ACCORD_AI_TIMEOUT_SECONDS",
        _number(float, 0.05, 3600),
        "60",
        "s",
        "longest silence of a provider before the reply ends with `timeout`",
    ),
    Row(
        "ACCORD_AI_ECHO_DELAY_MS", _number(int, 0, 60000), "10", "ms", "pause of the echo before each word of a stream"
    ),
)


_current: Settings | None = None


def install(settings: Settings) -> None:
    """Make `settings` the ones of this process; done once by the composition root (tests may do it again)."""
    global _current
    _current = settings


def current() -> Settings:
    """Return the settings of this process.

    Raises:
        SettingsError: nothing was installed.
    """
    if _current is None:
        raise SettingsError("no settings are installed")
    return _current


def read(environment: Mapping[str, str]) -> Settings:
    """Read every setting from `environment`.

    Raises:
        SettingsError: a value cannot be parsed, an ACCORD_ variable is unknown, or production lacks its secrets.
    """
    unknown = {v for v in environment if v.startswith("ACCORD_")} - {row.variable for row in SETTINGS}
    unknown = {name for name in unknown if not name.startswith("ACCORD_TEST_")}
    if unknown:
        raise SettingsError(f"unknown setting {', '.join(sorted(unknown))}; `accord doctor` lists the known ones")
    values: dict[str, Any] = {}
    for row in SETTINGS:
        text = environment.get(row.variable, row.default)
        try:
            values[row.field] = row.parse(text)
        except ValueError as error:
            shown = "" if row.may_hold_secret else f"={text!r}"
            raise SettingsError(f"{row.variable}{shown}: {error}") from error
    return _completed(Settings(**values))


def _completed(settings: Settings) -> Settings:
    if not settings.is_dev and not settings.secret_keys:
        raise SettingsError("ACCORD_SECRET_KEYS is required when ACCORD_PROFILE=production")
    if settings.is_dev and not settings.is_loopback:
        raise SettingsError(
            f"ACCORD_PROFILE=dev lets everyone in and binds to loopback only, not {settings.bind}; "
            "set ACCORD_PROFILE=production"
        )
    database_url = settings.database_url or f"sqlite:///{Path(settings.data_dir).absolute() / 'accord.db'}"
    durability = settings.durability or ("normal" if settings.is_dev else "full")
    return msgspec.structs.replace(settings, database_url=database_url, durability=durability)
