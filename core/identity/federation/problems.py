"""What may go wrong in a login by an identity provider."""

from __future__ import annotations

from core.kernel.problems import BadRequest, Forbidden, NotFound, NotImplementedYet, Unauthenticated, Unavailable

_RETRY_SECONDS = 5


class ProviderUnknown(NotFound):
    code, title = "provider_unknown", "No such identity provider"


class ProviderNotConfigured(NotImplementedYet):
    code, title = "provider_not_configured", "The identity provider has no credentials here"


class LoginStateInvalid(BadRequest):
    code, title = "login_state_invalid", "The login was not begun here, or was already finished"
    is_failed_login = True


class LoginNotProven(Unauthenticated):
    code, title = "login_not_proven", "The identity provider did not confirm the login"


class EmailNotVerified(Forbidden):
    code, title = "email_not_verified", "The identity provider vouches for no e-mail address of this person"


class DomainNotAllowed(Forbidden):
    code, title = "domain_not_allowed", "The e-mail address is of a domain that may not log in here"


class LinkNotAllowed(Forbidden):
    code, title = "link_not_allowed", "A user of this e-mail address exists, whose password somebody else may know"


class ProviderUnavailable(Unavailable):
    code, title = "provider_unavailable", "The identity provider cannot be asked now"

    def __init__(self, cause: str = "") -> None:
        super().__init__(retry_after_seconds=_RETRY_SECONDS, cause=cause)
