"""What a row of the settings is, and how the text of an environment variable becomes its value."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec

from core.kernel.exchange import RateProfile, UsagePlan


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
        return any(word in self.variable for word in ("KEY", "TOKEN", "URL", "SECRET"))


def boolean(text: str) -> bool:
    """Read true or false."""
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError("expected true or false")


def choice(*names: str) -> Callable[[str], str]:
    """Make a parser that takes one of these words."""

    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(f"expected one of {', '.join(names)}")
        return text

    return parse


def number(kind: type[int] | type[float], low: float, high: float) -> Callable[[str], Any]:
    """Make a parser of a number within bounds, both included."""

    def parse(text: str) -> Any:
        value = kind(text)
        if not low <= value <= high:
            raise ValueError(f"expected {low:g} to {high:g}")
        return value

    return parse


def names(text: str) -> tuple[str, ...]:
    """Read words that are separated by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def optional(text: str) -> str | None:
    """Read text; none of it is None."""
    return text or None


def bind(text: str) -> str:
    """Read host:port."""
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError("expected host:port")
    return text


def mapping(text: str) -> dict[str, str]:
    """Read a JSON object of texts."""
    return msgspec.json.decode(text, type=dict[str, str])


def rate_profiles(text: str) -> dict[str, RateProfile]:
    """Read rate profiles by their names."""
    return msgspec.json.decode(text, type=dict[str, RateProfile])


def database_url(text: str) -> str:
    """Read the address of a database; empty stands for the embedded one."""
    if not text or text.startswith(("sqlite:///", "postgresql://", "postgres://")):
        return text
    raise ValueError("expected sqlite:///FILE or postgresql://USER@HOST/NAME")


def url(text: str) -> str:
    """Read the address of a web server; a slash at its end goes, empty stays empty."""
    if text and not text.startswith(("https://", "http://")):
        raise ValueError("expected https://… or http://…")
    return text.rstrip("/")


def optional_url(text: str) -> str | None:
    """Read an address; none of it is None."""
    return url(text) or None


def networks(text: str) -> tuple[str, ...]:
    """Read networks as 10.0.0.0/8 or addresses."""
    found = names(text)
    for network in found:
        ipaddress.ip_network(network)
    return found


def caps(text: str) -> dict[str, int]:
    """Read a JSON object of numbers from 1."""
    return msgspec.json.decode(text, type=dict[str, Annotated[int, msgspec.Meta(ge=1)]])


def usage_plans(text: str) -> dict[str, UsagePlan]:
    """Read plans by their names."""
    return msgspec.json.decode(text, type=dict[str, UsagePlan])


def redis_url(text: str) -> str | None:
    """Read the URL of a Redis server; none is None."""
    if text and not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("expected redis://HOST:PORT/DATABASE")
    return text or None
