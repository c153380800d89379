"""Logins under way: begun for one provider and one browser, come back once, within ten minutes."""

from __future__ import annotations

import hmac
import re
from datetime import timedelta
from uuid import UUID

import msgspec

from core.identity import throttling
from core.identity.federation import discovery, exchange
from core.identity.federation.exchange import Profile, Secrets
from core.identity.federation.problems import LoginNotProven, LoginStateInvalid, ProviderNotConfigured
from core.identity.federation.providers import Provider
from core.kernel import clock, settings
from core.kernel.ids import new_secret
from core.kernel.principal import ROOT_TENANT_ID
from core.kernel.sealing import digest, seal, unseal
from models.database import read, write
from models.tables.federation import LoginFlow

LIFETIME = timedelta(minutes=10)
_PURPOSE = "accord login flow"
_BROWSER_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_NAME_LIMIT = 250


class Door(msgspec.Struct, frozen=True):
    """Where a provider's answers arrive: the path that is its redirect_uri, and whose providers they are."""

    surface: str
    callback_path: str

    @property
    def redirect_uri(self) -> str:
        """Return the address that the provider knows."""
        return settings.current().public_url + self.callback_path


class Begun(msgspec.Struct, frozen=True):
    """A login that may leave: where to, and what the browser must come back with."""

    url: str
    browser_secret: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back through the browser; None for what did not."""

    code: str | None
    state: str | None
    error: str | None
    issuer: str | None
    browser_secret: str | None


class Arrival(msgspec.Struct, frozen=True):
    """Someone whom a provider confirmed, and the path (None: not said) and tenant that the login was to lead to."""

    profile: Profile
    return_to: str | None
    tenant_id: UUID


class _Kept(msgspec.Struct, frozen=True):
    verifier: str
    nonce: str
    return_to: str | None
    tenant_id: UUID = ROOT_TENANT_ID  # a login may have begun before this was kept


def begin(
    provider: Provider,
    door: Door,
    *,
    client_address: str,
    browser_secret: str | None,
    return_to: str | None = None,
    tenant_id: UUID = ROOT_TENANT_ID,
) -> Begun:
    """Begin a login; browser_secret: what this browser has from another login that it began, or None.

    Raises:
        ProviderNotConfigured: it has no credentials, or this service does not know its own address.
        LoginThrottled: the address has begun too many.
        ProviderUnavailable: its addresses are not known.
    """
    check_configured(provider)
    throttling.do_count_begun(client_address)
    if browser_secret is None or not _BROWSER_SECRET.fullmatch(browser_secret):
        browser_secret = new_secret()
    state, secrets = new_secret(), Secrets(verifier=new_secret(48), nonce=new_secret())
    url = exchange.authorization_url(provider, secrets, state=state, redirect_uri=door.redirect_uri)
    kept = msgspec.json.encode(_Kept(str(secrets.verifier), str(secrets.nonce), return_to, tenant_id))
    with write():
        LoginFlow.create(
            digest=digest(state),
            provider=_owner(provider, door),
            browser_digest=digest(browser_secret),
            sealed=seal(kept, secret=state, purpose=_PURPOSE),
            expires_at=clock.now() + LIFETIME,
        )
    return Begun(url, browser_secret)


def finish(provider: Provider, door: Door, answer: Answer) -> Arrival:
    """Take the flow that an answer belongs to, which ends it whatever comes of it, and ask the provider who is there.

    Raises:
        LoginStateInvalid: there is none, or it is another provider's or another browser's.
        LoginNotProven: the provider refused, does not take the code, or what it gave does not hold.
        ProviderUnavailable: it cannot be asked.
    """
    check_configured(provider)
    kept, person_name = _take(provider, door, answer)
    if answer.error is not None or answer.code is None:
        raise LoginNotProven(cause=f"{provider.name} answered {answer.error or 'without a code'}")
    _check_issuer(provider, answer.issuer)
    secrets = Secrets(verifier=kept.verifier, nonce=kept.nonce)
    profile = exchange.redeem(provider, secrets, code=answer.code, redirect_uri=door.redirect_uri)
    return Arrival(_named(profile, person_name), kept.return_to, kept.tenant_id)


def redeem_raw(provider: Provider, door: Door, code: str) -> Profile:
    """Exchange a code that no flow asked for; only for developers, since nothing says whose browser it is.

    Raises:
        ProviderNotConfigured, LoginNotProven, ProviderUnavailable: see `finish`.
    """
    check_configured(provider)
    return exchange.redeem(provider, Secrets(verifier=None, nonce=None), code=code, redirect_uri=door.redirect_uri)


def do_note_person(state: str, first_name: str | None, last_name: str | None) -> None:
    """Keep a name that comes before the browser itself does; nothing for a state that is not known."""
    named = msgspec.json.encode([first_name, last_name]).decode()
    if (first_name or last_name) and len(named) <= _NAME_LIMIT:
        with write():
            LoginFlow.update(person_name=named).where(LoginFlow.digest == digest(state)).execute()


def check_configured(provider: Provider) -> None:
    """Refuse a provider that cannot be used here.

    Raises:
        ProviderNotConfigured: see the class.
    """
    if not provider.is_configured or not settings.current().public_url:
        raise ProviderNotConfigured


def _take(provider: Provider, door: Door, answer: Answer) -> tuple[_Kept, str | None]:
    """Delete the flow and return what it kept; of several who come with one state, one finds it."""
    state = answer.state or ""
    with read():
        row = LoginFlow.get_or_none(LoginFlow.digest == digest(state))
    if row is None:
        raise LoginStateInvalid
    browser_digest = digest(answer.browser_secret or "")
    if row.provider != _owner(provider, door) or not hmac.compare_digest(row.browser_digest, browser_digest):
        raise LoginStateInvalid(cause="the state is another provider's or another browser's")
    with write():
        taken = LoginFlow.delete().where(LoginFlow.digest == row.digest).execute()
    if not taken or row.expires_at <= clock.now():
        raise LoginStateInvalid
    return msgspec.json.decode(unseal(bytes(row.sealed), secret=state, purpose=_PURPOSE), type=_Kept), row.person_name


def _owner(provider: Provider, door: Door) -> str:
    return f"{door.surface}:{provider.name}"


def _check_issuer(provider: Provider, issuer: str | None) -> None:
    """Refuse another provider's answer (RFC 9207): the code in it would be shown to the wrong one."""
    endpoints = discovery.get_endpoints(provider)
    if endpoints.issuer is None or "{tenantid}" in endpoints.issuer:
        return
    if issuer != endpoints.issuer and (issuer is not None or endpoints.names_itself):
        raise LoginNotProven(cause=f"{provider.name}: the answer is of {issuer}")


def _named(profile: Profile, person_name: str | None) -> Profile:
    if person_name is None or profile.first_name or profile.last_name:
        return profile
    first_name, last_name = msgspec.json.decode(person_name, type=tuple[str | None, str | None])
    return msgspec.structs.replace(profile, first_name=first_name, last_name=last_name)
