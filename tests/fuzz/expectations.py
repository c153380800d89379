"""What the fuzzer must not call a failure, each with its reason and a link.

Input that matches the schema may be refused for what it means. Which statuses that can be follows from the contract where
it can (RULES), and is said for one operation where it cannot (REFUSALS); everything else is a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.oracle import Document, Operation, Oracle

_ACCEPTANCE = "https://schemathesis.readthedocs.io/en/stable/reference/checks/#positive_data_acceptance"


@dataclass(frozen=True)
class Rule:
    """A status that valid input may meet in every operation that declares it and has the cause."""

    status: int
    reason: str
    has_cause: Callable[[Oracle, Operation], bool]
    link: str = _ACCEPTANCE


@dataclass(frozen=True)
class Refusal:
    """A status that valid input may meet in one operation."""

    operation_id: str
    status: int
    reason: str
    link: str = _ACCEPTANCE


@dataclass(frozen=True)
class Disabled:
    """A check that cannot judge the operations that have the cause."""

    check: str
    reason: str
    has_cause: Callable[[Oracle, Operation], bool]
    link: str


@dataclass(frozen=True)
class Suppressed:
    """A complaint of the generator about itself."""

    health_check: str
    reason: str
    link: str


def parameters(oracle: Oracle, operation: Operation) -> Iterator[Document]:
    """Yield the parameters of an operation."""
    for parameter in [*operation.item.get("parameters", []), *operation.spec.get("parameters", [])]:
        yield oracle.resolve(parameter)


def _takes_header(name: str) -> Callable[[Oracle, Operation], bool]:
    return lambda oracle, operation: any(
        each["in"] == "header" and each["name"] == name for each in parameters(oracle, operation)
    )


def _signs_in(oracle: Oracle, operation: Operation) -> bool:
    """Say whether the credentials come with the request itself."""
    return not operation.spec["security"] and "requestBody" in operation.spec


def _names_something(oracle: Oracle, operation: Operation) -> bool:
    """Say whether a path, query or body names an object that there may not be."""
    declared = list(parameters(oracle, operation))
    body = oracle.resolve(operation.spec.get("requestBody", {}))
    schemas = [media["schema"] for media in body.get("content", {}).values()]
    schemas += [each["schema"] for each in declared if each["in"] == "query"]
    return any(each["in"] == "path" for each in declared) or any(_has_id(oracle, schema, 3) for schema in schemas)


def _has_id(oracle: Oracle, schema: Document | bool, depth: int) -> bool:
    if isinstance(schema, bool) or depth == 0:
        return False
    schema = oracle.resolve(schema)
    parts = [*schema.get("properties", {}).values(), schema.get("items", False)]
    return schema.get("format") == "uuid" or any(_has_id(oracle, part, depth - 1) for part in parts)


def _pages_by_text(oracle: Oracle, operation: Operation) -> bool:
    name = operation.spec.get("x-paging", {}).get("parameter")
    return any(
        each["name"] == name and "string" in oracle.resolve(each["schema"]).get("type", ())
        for each in parameters(oracle, operation)
    )


def _answers_a_secret_once(oracle: Oracle, operation: Operation) -> bool:
    return "x-secret-response" in operation.spec and "x-idempotent" in operation.spec


RULES = (
    Rule(304, "the validator that was sent, * for instance, is the resource's", _takes_header("If-None-Match")),
    Rule(401, "nobody is signed in yet, and the drawn name or password is wrong", _signs_in),
    Rule(404, "a drawn id names nothing, or what a former request deleted", _names_something),
    Rule(409, "a drawn Idempotency-Key is minutes old, and its answer was a secret", _answers_a_secret_once),
    Rule(412, "a drawn If-Match names another version", _takes_header("If-Match")),
    Rule(422, "a drawn Idempotency-Key was used before with another request", _takes_header("Idempotency-Key")),
    Rule(422, "a drawn cursor is none that the server gave", _pages_by_text),
    Rule(422, "a drawn Last-Event-ID is none that the stream gave", _takes_header("Last-Event-ID")),
)

_TAKEN = "the drawn e-mail address or telephone number is another user's"
_LAST = "the drawn user is the last administrator, who stays"
_SET_UP = "an administrator exists, and what is drawn has not the server's set-up token"

_NAMED = "the drawn name is another's"
_BUILT_IN = "the drawn role is built in, and stays as it is"
_NO_APPLE = "the fuzzer's server has no credentials of Apple's"
_THROTTLED = "too many drawn passwords were wrong before"
_DEMOTED = "a former request gave the caller a lesser role in the known conversation"
_ASKS_FOR_A_ROLE = (
    *("invites_create", "invites_revoke", "participants_add", "participants_remove", "presence_set_typing"),
    *("messages_cancel", "messages_delete", "messages_edit", "messages_reply", "messages_restore", "threads_create"),
)
_SESSION_OVER = "a former request of the same operation ended the session that it has to itself"
_STATE = "the drawn state is none that this browser was given"

REFUSALS = (
    *(Refusal(name, 403, _DEMOTED) for name in _ASKS_FOR_A_ROLE),
    Refusal("accounts_create", 409, "the drawn address has an account in this tenant"),
    Refusal("accounts_update", 409, "the drawn account is the tenant's last active administrator's, who stays"),
    Refusal(
        "asset_auth_set_password", 400, "a drawn password breaks the page's rules of composition, or is not repeated"
    ),
    Refusal("completions_create", 404, "no model has the drawn name"),
    Refusal("federation_callback", 400, _STATE),
    Refusal("federation_callback", 501, "the drawn provider has no credentials"),
    Refusal("federation_put", 409, "as many identity providers as there may be were drawn before"),
    Refusal("federation_start", 501, "the drawn provider has no credentials"),
    Refusal("federation_start", 503, "the drawn provider's address answers nothing"),
    Refusal("invites_accept", 404, "a drawn token opens nothing"),
    Refusal("invites_accept", 410, "a known token was revoked by a former request"),
    Refusal("messages_cancel", 400, "the drawn message was written by a person"),
    Refusal("messages_edit", 409, "a former request deleted the message"),
    Refusal("messages_reply", 409, "a former request deleted the message"),
    Refusal("oauth_callback_apple", 501, _NO_APPLE),
    Refusal("oauth_callback_github", 401, _STATE),
    Refusal("oauth_exchange_apple", 404, "this door is there in the dev profile alone"),
    Refusal("oauth_exchange_github", 404, "this door is there in the dev profile alone"),
    Refusal("oauth_start_apple", 501, _NO_APPLE),
    Refusal("participants_remove", 409, "the drawn participant is the last owner, who stays"),
    Refusal("rate_profiles_create", 409, _NAMED),
    Refusal("rate_profiles_delete", 409, "the drawn profile is shipped, or a former request assigned it"),
    Refusal("rate_profiles_update", 409, "the server's settings state the figures of the drawn profile"),
    Refusal("roles_create", 409, _NAMED),
    Refusal("roles_delete", 409, _BUILT_IN),
    Refusal("roles_update_scopes", 409, _BUILT_IN),
    Refusal("sessions_login", 429, _THROTTLED),
    Refusal("sessions_logout", 401, _SESSION_OVER),
    Refusal("sessions_refresh", 401, _SESSION_OVER),
    Refusal("setup_bootstrap", 403, _SET_UP),
    Refusal("setup_create", 403, _SET_UP),
    Refusal("tokens_create", 429, _THROTTLED),
    Refusal("tokens_create_personal", 429, _THROTTLED),
    Refusal("tokens_elevate", 429, _THROTTLED),
    Refusal("tokens_elevate", 401, "the drawn password is not the caller's"),
    Refusal("users_create", 409, _TAKEN),
    Refusal("users_delete", 409, _LAST),
    Refusal("users_remove_role", 409, _LAST),
    Refusal("users_update", 409, f"{_TAKEN}, or {_LAST}"),
)

DISABLED = (
    Disabled(
        "response_schema_conformance",
        "the body is YAML text and its schema says so; the fuzzer parses it before it compares it with `type: string`",
        lambda _, operation: operation.id == "contract_get_yaml",
        "https://schemathesis.readthedocs.io/en/stable/reference/checks/#response_schema_conformance",
    ),
    Disabled(
        "negative_data_rejection",
        "a drawn cookie is sent as it is, so a ; in one that is too long begins another cookie and leaves a good one",
        lambda oracle, operation: any(each["in"] == "cookie" for each in parameters(oracle, operation)),
        "https://schemathesis.readthedocs.io/en/stable/reference/checks/#negative_data_rejection",
    ),
)

SUPPRESSED = (
    Suppressed(
        "too_slow",
        "drawing a deep body takes long on a machine whose cores are busy; it says nothing of the server",
        "https://hypothesis.readthedocs.io/en/latest/reference/api.html#hypothesis.HealthCheck.too_slow",
    ),
    Suppressed(
        "filter_too_much",
        "Hypothesis drops many drawn texts where a pattern meets a length; the cases that stay are judged",
        "https://hypothesis.readthedocs.io/en/latest/reference/api.html#hypothesis.HealthCheck.filter_too_much",
    ),
)


def expected_statuses(oracle: Oracle, operation: Operation) -> list[str | int]:
    """Return the statuses that valid input may meet: success, declared redirections, and what rules and rows say."""
    declared = {int(status) for status in operation.spec["responses"] if status.isdigit()}
    expected = {status for status in declared if 300 <= status < 400 and status != 304}
    expected |= {rule.status for rule in RULES if rule.has_cause(oracle, operation)} & declared
    expected |= {row.status for row in REFUSALS if row.operation_id == operation.id}
    return ["2xx", *sorted(expected)]
