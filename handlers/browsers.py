"""What browsers are given and come back with: the cookies of sessions and of logins under way."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from msgspec import UNSET, UnsetType

from core.identity import sessions, throttling
from core.identity.federation import flows
from core.kernel import settings
from core.kernel.call import Cookie
from core.kernel.principal import ROOT_TENANT_ID

SESSION_COOKIE, CSRF_COOKIE, FLOW_COOKIE, DEVICE_COOKIE = "SESSION_ID", "CSRF-TOKEN", "LOGIN-FLOW", "DEVICE"


class Callback(Protocol):
    """The parameters with which a provider sends a browser back."""

    @property
    def code(self) -> str | UnsetType: ...
    @property
    def state(self) -> str | UnsetType: ...
    @property
    def error(self) -> str | UnsetType: ...
    @property
    def iss(self) -> str | UnsetType: ...
    @property
    def login_flow(self) -> str | UnsetType: ...


def session_cookies(opened: sessions.OpenSession | None) -> tuple[Cookie, Cookie]:
    """Make both cookies of a session, or delete them."""
    age = int(sessions.IDLE.total_seconds()) if opened else 0
    secret, csrf = (opened.secret, opened.csrf) if opened else ("", "")
    return (
        Cookie(name=SESSION_COOKIE, value=secret, max_age_seconds=age, secure=_is_secure()),
        Cookie(
            name=CSRF_COOKIE, value=csrf, max_age_seconds=age, secure=_is_secure(), http_only=False, same_site="Strict"
        ),
    )


def flow_cookie(begun: flows.Begun) -> Cookie:
    """Make the cookie that a login must come back with; Lax, so that the provider's redirection carries it."""
    age = int(flows.LIFETIME.total_seconds())
    return Cookie(name=FLOW_COOKIE, value=begun.browser_secret, max_age_seconds=age, secure=_is_secure())


def device_cookie(device: str) -> Cookie:
    """Make the cookie that tells a browser whose user has logged in from a stranger's."""
    age = int(throttling.MEMORY.total_seconds())
    return Cookie(name=DEVICE_COOKIE, value=device, max_age_seconds=age, secure=_is_secure())


def answer_of(sent: Callback) -> flows.Answer:
    """Return a provider's answer as the browser brought it."""
    return flows.Answer(
        code=optional(sent.code),
        state=optional(sent.state),
        error=optional(sent.error),
        issuer=optional(sent.iss),
        browser_secret=optional(sent.login_flow),
    )


def wanted_tenant(value: UUID | UnsetType) -> UUID:
    """Return the tenant that a login is to lead to."""
    return ROOT_TENANT_ID if value is UNSET else value


def optional(value: str | UnsetType) -> str | None:
    """Return None for what was not sent."""
    return None if value is UNSET else value


def _is_secure() -> bool:
    """Say whether cookies are for TLS alone; in the dev profile there is none."""
    return not settings.current().is_dev
