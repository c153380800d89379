"""Every setting of the service: one row each, read once from the environment into a frozen object.

The README's table is tested against SETTINGS. A value that cannot be read stops the start and names the variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from core.kernel.exchange import RateProfile, UsagePlan
from core.kernel.setting_rows import (
    Row,
    bind,
    boolean,
    caps,
    choice,
    database_url,
    mapping,
    names,
    networks,
    number,
    optional,
    optional_url,
    rate_profiles,
    redis_url,
    url,
    usage_plans,
)


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
    password_words: tuple[str, ...]
    limits_admin_api: bool
    rate_profiles: dict[str, RateProfile]
    public_url: str
    federation_dir: str | None
    oauth_ui_redirect_url: str | None
    oauth_return_path: str
    github_client_id: str | None
    github_client_secret: str | None
    github_url: str
    github_api_url: str
    apple_client_id: str | None
    apple_team_id: str | None
    apple_key_id: str | None
    apple_private_key: str | None
    apple_issuer: str
    provider_timeout_seconds: float
    outbound_networks: tuple[str, ...]
    redis_url: str | None
    stream_caps: dict[str, int]
    usage_plans: dict[str, UsagePlan]
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


SETTINGS: tuple[Row, ...] = (
    Row("ACCORD_PROFILE", choice("dev", "production"), "dev", "", "`dev` or `production`"),
    Row("ACCORD_BIND", bind, "127.0.0.1:8080", "host:port", "where to listen"),
    Row("ACCORD_WORKERS", number(int, 1, 256), "2", "processes", "gunicorn workers"),
    Row("ACCORD_DATA_DIR", str, ".accord", "folder", "database, metrics and the key file of this machine"),
    Row(
        "ACCORD_DATABASE_URL",
        database_url,
        "",
        "URL",
        "`sqlite:///FILE` or `postgresql://…`; empty: SQLite in the data folder",
    ),
    Row("ACCORD_DATABASE_POOL_SIZE", number(int, 1, 1000), "20", "connections", "PostgreSQL connections of one worker"),
    Row(
        "ACCORD_DATABASE_TIMEOUT_SECONDS",
        number(float, 0.1, 600),
        "10",
        "s",
        "wait for a connection or a lock, then 503; three times as long for an answer",
    ),
    Row(
        "ACCORD_DURABILITY",
        choice("", "full", "normal"),
        "",
        "",
        "`full`: an acknowledged write survives power loss; `normal`: it survives kill -9 (SQLite); empty: full in production, normal in dev",
    ),
    Row(
        "ACCORD_SECRET_KEYS",
        names,
        "",
        "list",
        "signing secrets, first signs, all verify; required in production, made once in the data folder in dev",
    ),
    Row(
        "ACCORD_SETUP_TOKEN",
        optional,
        "",
        "",
        "both setup doors ask for it in X-Setup-Token, except in dev on loopback",
    ),
    Row("ACCORD_PROBLEM_BASE", str, "https://accord.dev/problems/", "URL", "prefix of a problem's `type`"),
    Row(
        "ACCORD_RESPONSE_CHECK",
        choice("report", "enforce"),
        "report",
        "",
        "production: report a response that breaks the contract, or answer 500; dev always enforces",
    ),
    Row("ACCORD_TRUSTED_PROXIES", names, "", "list", "addresses or networks whose X-Forwarded-For is believed"),
    Row("ACCORD_HEADER_TIMEOUT_SECONDS", number(float, 0.1, 600), "10", "s", "deadline for a request's headers"),
    Row("ACCORD_BODY_TIMEOUT_SECONDS", number(float, 0.1, 3600), "60", "s", "deadline for a request's body"),
    Row(
        "ACCORD_IDLE_TIMEOUT_SECONDS",
        number(float, 0.1, 3600),
        "75",
        "s",
        "idle keep-alive connections are closed after this",
    ),
    Row(
        "ACCORD_GRACEFUL_TIMEOUT_SECONDS",
        number(float, 0.1, 600),
        "10",
        "s",
        "a stop waits this long for requests under way",
    ),
    Row("ACCORD_WORKER_CONNECTIONS", number(int, 1, 1000000), "20000", "connections", "open connections of one worker"),
    Row("ACCORD_HEARTBEAT_SECONDS", number(float, 0.05, 300), "15", "s", "comment that keeps an idle stream open"),
    Row(
        "ACCORD_STREAM_QUEUE_EVENTS",
        number(int, 1, 1000000),
        "1024",
        "events",
        "a client further behind is cut and resumes by Last-Event-ID",
    ),
    Row("ACCORD_STREAM_RETRY_MS", number(int, 0, 3600000), "1000", "ms", "reconnect hint that a stream begins with"),
    Row("ACCORD_JOB_CONCURRENCY", number(int, 1, 10000), "64", "jobs", "jobs that one worker runs at a time"),
    Row("ACCORD_DELTA_FLUSH_MS", number(int, 1, 10000), "50", "ms", "a reply's deltas are written together this often"),
    Row("ACCORD_DELTA_FLUSH_BYTES", number(int, 1, 1000000), "1024", "bytes", "or as soon as this much text waits"),
    Row(
        "ACCORD_EVENT_RETENTION_HOURS",
        number(int, 1, 8760),
        "48",
        "h",
        "how long a stream can be resumed; older cursors get `reset`",
    ),
    Row(
        "ACCORD_IDEMPOTENCY_HOURS",
        number(int, 1, 8760),
        "24",
        "h",
        "how long a repeated Idempotency-Key replays the first answer",
    ),
    Row(
        "ACCORD_LOG_LEVEL",
        choice("debug", "info", "warning", "error"),
        "info",
        "",
        "least severe level that is logged",
    ),
    Row("ACCORD_AUTH_V1", boolean, "true", "", "switch: cookie sessions (off: 404)"),
    Row(
        "ACCORD_PASSWORD_WORDS",
        names,
        "",
        "list",
        "words that no password may consist of, with any digits and signs: names of the organization, its products and projects",
    ),
    Row("ACCORD_LIMITS_ADMIN_API", boolean, "true", "", "switch: rate-limit administration (off: 404)"),
    Row(
        "ACCORD_RATE_PROFILES",
        rate_profiles,
        "{}",
        "JSON",
        'figures in place of those that a rate profile is stored with, as `{"conversation.post": {"limit": 10, "window_seconds": 2}}`',
    ),
    Row(
        "ACCORD_REDIS_URL",
        redis_url,
        "",
        "URL",
        "keeps the counters of limits in Redis; empty: in a file of the data folder (SQLite) or UNLOGGED tables (PostgreSQL)",
    ),
    Row(
        "ACCORD_STREAM_CAPS",
        caps,
        '{"problem": 4, "api": 10}',
        "JSON",
        "streams that one caller may hold open at a time, by the error style of the surface; none for a style that is not named",
    ),
    Row(
        "ACCORD_USAGE_PLANS",
        usage_plans,
        "{}",
        "JSON",
        'quotas of tenants by plan, in place of the shipped ones, as `{"free": {"requests_per_day": 1000}}`; what is not named is unlimited',
    ),
    Row(
        "ACCORD_PUBLIC_URL",
        url,
        "",
        "URL",
        "where browsers reach this service, for provider logins; empty in dev: ACCORD_BIND",
    ),
    Row("ACCORD_FEDERATION_DIR", optional, "", "folder", "identity providers, a YAML file each, read at the start"),
    Row(
        "ACCORD_OAUTH_UI_REDIRECT_URL",
        optional_url,
        "",
        "URL",
        "where a federated login ends, with `?token=`; empty: the token as JSON",
    ),
    Row(
        "ACCORD_OAUTH_RETURN_PATH",
        str,
        "/auth-success.html",
        "path",
        "where a GitHub or Apple login ends that named no `return_to`",
    ),
    Row(
        "ACCORD_GITHUB_CLIENT_ID",
        optional,
        "",
        "",
        "GitHub's credentials, and ACCORD_GITHUB_CLIENT_SECRET; without them 501",
    ),
    Row("ACCORD_GITHUB_CLIENT_SECRET", optional, "", "", "see ACCORD_GITHUB_CLIENT_ID"),
    Row("ACCORD_GITHUB_URL", url, "https://github.com", "URL", "GitHub, or an enterprise server of it"),
    Row("ACCORD_GITHUB_API_URL", url, "https://api.github.com", "URL", "its API"),
    Row("ACCORD_APPLE_CLIENT_ID", optional, "", "", "Apple's service id; with team, key id and private key, else 501"),
    Row("ACCORD_APPLE_TEAM_ID", optional, "", "", "the team that the key belongs to"),
    Row("ACCORD_APPLE_KEY_ID", optional, "", "", "the id of the private key"),
    Row("ACCORD_APPLE_PRIVATE_KEY", optional, "", "PEM", "the EC private key (.p8) that signs the client secret"),
    Row("ACCORD_APPLE_ISSUER", url, "https://appleid.apple.com", "URL", "Apple's issuer"),
    Row(
        "ACCORD_PROVIDER_TIMEOUT_SECONDS",
        number(float, 0.1, 60),
        "10",
        "s",
        "the longest one call to an identity provider may take",
    ),
    Row(
        "ACCORD_OUTBOUND_NETWORKS", networks, "", "list", "private networks that addresses given by callers may lead to"
    ),
    Row("ACCORD_WELL_KNOWN", boolean, "true", "", "switch: /.well-known (off: 404)"),
    Row("ACCORD_WELL_KNOWN_ENTRIES", mapping, "{}", "JSON", "path → content served under /.well-known"),
    Row("ACCORD_AI_BASE_URL", optional, "", "URL", "OpenAI-compatible endpoint, for example http://127.0.0.1:11434/v1"),
    Row("ACCORD_AI_API_KEY", optional, "", "", "bearer key for that endpoint"),
    Row(
        "ACCORD_AI_MODELS",
        names,
        "",
        "list",
        "models served by that endpoint; a name here replaces the echo of the same name",
    ),
    Row("ACCORD_AI_ASSISTANT_MODEL", str, "gpt-4", "", "model that answers in conversations"),
    Row(
        "ACCORD_AI_TIMEOUT_SECONDS",
        number(float, 0.05, 3600),
        "60",
        "s",
        "longest silence of a provider before the reply ends with `timeout`",
    ),
    Row("ACCORD_AI_ECHO_DELAY_MS", number(int, 0, 60000), "10", "ms", "pause of the echo before each word of a stream"),
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
    public_url = settings.public_url or (f"http://{settings.bind}" if settings.is_dev else "")
    return msgspec.structs.replace(settings, database_url=database_url, durability=durability, public_url=public_url)
