"""Administration of people over the whole product."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from tests.client import Client, Person
from tests.factories.conversations import add_participant, make_conversation, make_talk, reply
from tests.factories.people import PASSWORD, People

SUPERADMIN, ADMIN, MEMBER, VIEWER = (str(UUID(int=0x4000_8000 << 48 | number)) for number in (1, 2, 3, 4))


def _names(answer) -> list[str]:
    return [role["name"] for role in answer.json["roles"]]


def test_users_are_listed_in_the_order_they_were_made(client: Client, people: People) -> None:
    answer = client.call("users_list", as_=people.ada)
    assert [user["email"].partition("@")[0] for user in answer.json] == ["ada", "ben", "cyn"]
    page = client.call("users_list", as_=people.ada, query={"limit": 1, "offset": 1})
    assert page.json == answer.json[1:2]
    for query in ({"limit": 0}, {"limit": 201}, {"offset": -1}):
        assert client.call("users_list", as_=people.ada, query=query).status == 422


def test_user_is_made_a_member_and_can_log_in(client: Client, people: People) -> None:
    body = {"email": "Dee@Example.com", "password": "secret123", "first_name": "Dee", "phone_number": "+4912345"}
    answer = client.call("users_create", body=body, as_=people.ada)
    assert answer.status == 201
    assert answer.json["email"] == "dee@example.com"
    assert _names(answer) == ["member"]
    assert answer.headers["Location"] == f"/auth/admin/users/{answer.json['id']}"
    assert client.call("users_get", path={"id": answer.json["id"]}, as_=people.ada).json == answer.json
    login = client.call("sessions_login", body={"email": "+4912345", "password": "secret123"})
    assert login.json["user"]["display_name"] == "Dee"


def test_user_without_a_password_cannot_log_in(client: Client, people: People) -> None:
    assert client.call("users_create", body={"email": "dee@example.com"}, as_=people.ada).status == 201
    assert client.call("sessions_login", body={"email": "dee@example.com", "password": "None"}).status == 401


@pytest.mark.parametrize("taken", [{"email": "BEN@example.com"}, {"email": "x@example.com", "phone_number": "12345"}])
def test_known_email_or_number_is_409(client: Client, people: People, taken: dict[str, str]) -> None:
    ben = {"id": people.ben.user_id}
    assert client.call("users_update", path=ben, body={"phone_number": "12345"}, as_=people.ada).status == 200
    answer = client.call("users_create", body=taken, as_=people.ada)
    assert (answer.status, answer.json["error"]["details"]["code"]) == (409, "user_exists")
    assert client.call("users_update", path={"id": people.cyn.user_id}, body=taken, as_=people.ada).status == 409


def test_user_is_made_once_when_the_request_is_repeated(client: Client, people: People) -> None:
    body, key = {"email": "dee@example.com", "password": "secret123"}, {"Idempotency-Key": "k"}
    first = client.call("users_create", body=body, as_=people.ada, headers=key)
    assert client.call("users_create", body=body, as_=people.ada, headers=key).json == first.json
    assert client.call("users_create", body={"email": "e@example.com"}, as_=people.ada, headers=key).status == 422


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "no"},
        {"email": "a@example.com", "password": "short"},
        {"email": "a@example.com", "is_active": "yes"},
        {"email": "a@example.com", "first_name": ""},
        {"email": "a@example.com", "more": 1},
    ],
)
def test_body_outside_the_contract_is_422(client: Client, people: People, body: dict[str, object]) -> None:
    assert client.call("users_create", body=body, as_=people.ada).status == 422


def test_update_changes_what_is_sent(client: Client, people: People) -> None:
    path = {"id": people.ben.user_id}
    body = {"email": "Benny@example.com", "first_name": None, "last_name": "Bo"}
    answer = client.call("users_update", path=path, body=body, as_=people.ada)
    assert answer.status == 200
    assert (answer.json["email"], answer.json["first_name"], answer.json["last_name"]) == (
        "benny@example.com",
        None,
        "Bo",
    )
    assert client.call("users_get", path=path, as_=people.ada).json == answer.json
    assert client.call("users_update", path=path, body={}, as_=people.ada).status == 422


def test_update_is_412_when_the_user_has_changed(client: Client, people: People) -> None:
    path = {"id": people.ben.user_id}
    tag = client.call("users_get", path=path, as_=people.ada).headers["ETag"]
    assert client.call("users_get", path=path, as_=people.ada, headers={"If-None-Match": tag}).status == 304
    condition = {"If-Match": tag}
    first = client.call("users_update", path=path, body={"last_name": "X"}, as_=people.ada, headers=condition)
    second = client.call("users_update", path=path, body={"last_name": "Y"}, as_=people.ada, headers=condition)
    assert (first.status, second.status) == (200, 412)


@pytest.mark.parametrize(("body", "status"), [({"is_active": False}, 423), ({"password": "another one"}, 401)])
def test_credentials_end_when_disabled_or_given_another_password(
    client: Client, people: People, body: dict[str, object], status: int
) -> None:
    browser = replace(people.ben, token=None)
    for person in (people.ben, browser):
        assert client.call("sessions_get_me", as_=person).status == 200
    assert client.call("users_update", path={"id": people.ben.user_id}, body=body, as_=people.ada).status == 200
    for person in (people.ben, browser):
        assert client.call("sessions_get_me", as_=person).status == status
    assert client.call("sessions_get_me", as_=people.cyn).status == 200


def test_deleted_user_is_gone_with_every_credential(client: Client, people: People) -> None:
    path = {"id": people.ben.user_id}
    assert client.call("conversations_list", as_=people.ben).status == 200  # so that the verifier knows the credential
    assert client.call("users_delete", path=path, as_=people.ada).status == 204
    assert client.call("users_get", path=path, as_=people.ada).status == 404
    assert client.call("users_delete", path=path, as_=people.ada).status == 404
    assert client.call("conversations_list", as_=people.ben).status == 401
    assert client.call("sessions_login", body={"email": people.ben.email, "password": PASSWORD}).status == 401


def test_last_superadmin_stays(client: Client, people: People) -> None:
    path = {"id": people.ada.user_id}
    answers = [
        client.call("users_update", path=path, body={"is_active": False}, as_=people.ada),
        client.call("users_delete", path=path, as_=people.ada),
        client.call("users_remove_role", path={"user_id": people.ada.user_id, "role_id": SUPERADMIN}, as_=people.ada),
    ]
    assert [answer.status for answer in answers] == [409, 409, 409]
    assert {answer.json["error"]["details"]["code"] for answer in answers} == {"last_administrator"}
    assert client.call("users_list", as_=people.ada).status == 200


def test_role_is_given_and_taken_and_counts_at_once(client: Client, people: People) -> None:
    path = {"user_id": people.ben.user_id, "role_id": ADMIN}
    assert _names(client.call("users_assign_role", path=path, as_=people.ada)) == ["admin", "member"]
    assert _names(client.call("users_assign_role", path=path, as_=people.ada)) == ["admin", "member"]
    browser = replace(people.ben, token=None)
    assert "apikey:create" in client.call("sessions_get_me", as_=browser).json["abilities"]
    assert client.call("users_remove_role", path=path, as_=people.ada).status == 204
    assert "apikey:create" not in client.call("sessions_get_me", as_=browser).json["abilities"]
    assert client.call("users_remove_role", path=path, as_=people.ada).status == 404


def test_superadmin_is_made_by_setup_alone(client: Client, people: People) -> None:
    path = {"user_id": people.ben.user_id, "role_id": SUPERADMIN}
    answer = client.call("users_assign_role", path=path, as_=people.ada)
    assert (answer.status, answer.json["error"]["details"]["code"]) == (403, "role_not_assignable")


def test_missing_users_and_roles_are_404(client: Client, people: People) -> None:
    nobody, ben = str(uuid4()), people.ben.user_id
    for operation, path, body in [
        ("users_get", {"id": nobody}, None),
        ("users_update", {"id": nobody}, {"last_name": "X"}),
        ("users_delete", {"id": nobody}, None),
        ("users_assign_role", {"user_id": nobody, "role_id": VIEWER}, None),
        ("users_assign_role", {"user_id": ben, "role_id": nobody}, None),
        ("users_remove_role", {"user_id": ben, "role_id": nobody}, None),
        ("users_remove_role", {"user_id": ben, "role_id": VIEWER}, None),
    ]:
        assert client.call(operation, path=path, body=body, as_=people.ada).status == 404


OPERATIONS = [
    ("users_list", {}, None),
    ("users_create", {}, {"email": "x@example.com"}),
    ("users_get", {"id": VIEWER}, None),
    ("users_update", {"id": VIEWER}, {"last_name": "X"}),
    ("users_delete", {"id": VIEWER}, None),
    ("users_assign_role", {"user_id": VIEWER, "role_id": VIEWER}, None),
    ("users_remove_role", {"user_id": VIEWER, "role_id": VIEWER}, None),
]


@pytest.mark.parametrize(("operation", "path", "body"), OPERATIONS)
def test_only_administrators_may(client: Client, people: People, operation: str, path: dict, body: object) -> None:
    assert client.call(operation, path=path, body=body, as_=people.ben).status == 403
    nonsense = {"Authorization": "Bearer nonsense"}
    assert client.call(operation, path=path, body=body, headers=nonsense).status == 401
    assert client.call(operation, path=path, body=body, as_=replace(people.ada, token=None)).status == 401


@pytest.mark.parametrize(("operation", "path", "body"), [row for row in OPERATIONS if row[1]])
def test_id_that_is_no_uuid_is_422(client: Client, people: People, operation: str, path: dict, body: object) -> None:
    broken = dict.fromkeys(path, "1")
    assert client.call(operation, path=broken, body=body, as_=people.ada).status == 422


def test_deleted_user_leaves_every_conversation_and_what_was_said_stays(client: Client, people: People) -> None:
    talk = make_talk(client, people.ben, people.cyn)
    add_participant(client, people.ben, talk.conversation_id, people.ada, role="viewer")
    shared, alone = make_conversation(client, people.cyn, people.ben), make_talk(client, people.ben)
    answered = reply(client, people.ben, talk.root_id, "Going?")
    with client.stream(
        "streams_open_conversation", path={"conversation_id": talk.conversation_id}, as_=people.cyn
    ) as stream:
        assert client.call("users_delete", path={"id": people.ben.user_id}, as_=people.ada).status == 204
        changes = [json.loads(event.data)["payload"] for event in stream.events_until("presence.update")]
    assert [(change.get("user_id"), change.get("action")) for change in changes[:2]] == [
        (people.cyn.user_id, "role_updated"),
        (people.ben.user_id, "removed"),
    ]
    roles = {person.user_id: _participants(client, talk.conversation_id, person) for person in (people.ada, people.cyn)}
    assert list(roles.values()) == [{people.cyn.user_id: "owner", people.ada.user_id: "viewer"}] * 2
    assert _participants(client, shared, people.cyn) == {people.cyn.user_id: "owner"}
    tree = client.call("threads_get_tree", path={"root_id": talk.root_id}, as_=people.cyn).json
    said = {message["id"]: (message["author_user_id"], message["content"]) for message in tree["messages"]}
    assert said[answered["message_id"]] == (people.ben.user_id, "Going?")
    assert client.call("threads_get_tree", path={"root_id": alone.root_id}, as_=people.ada).status == 404
    edit = {"content": "Gone."}
    path = {"message_id": answered["message_id"]}
    assert client.call("messages_edit", path=path, body=edit, as_=people.cyn).status == 403
    assert client.call("messages_delete", path=path, body={}, as_=people.cyn).status == 204


def _participants(client: Client, conversation_id: str, person: Person) -> dict[str, str]:
    answer = client.call("conversations_get", path={"conversation_id": conversation_id}, as_=person)
    return {row["user_id"]: row["role"] for row in answer.json["participants"]}
