"""A program that uses more than thirty operations as they are meant: it has no type error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from accord_client import (
    UNSET,
    AsyncClient,
    Client,
    Event,
    Invalid,
    NotFound,
    Options,
    RateLimited,
    Response,
    Retry,
    Token,
)
from accord_client.types.chat import Completion, ConversationSummary, Message, MessageCreated


def administer(client: Client, tenant: UUID) -> str:
    """Users and keys."""
    setup = client.setup.get()
    user = client.users.create(email="dee@example.com", password="correct horse battery", first_name="Dee")
    read = client.users.get.raw(user.id)
    client.users.update(user.id, last_name=None, options={"if_match": read.etag or ""})
    names: list[str] = [row.email for row in client.users.list(limit=10)]
    client.users.delete(user.id)
    ends = datetime.now(UTC) + timedelta(days=30)
    key = client.api_keys.create(tenant, name="ci", scopes=["model:*"], expires_at=ends)
    for row in client.api_keys.list(tenant):
        names.append(row.name)
    client.api_keys.rotate(tenant, key.data.id)
    client.api_keys.delete(tenant, key.data.id)
    return f"{setup} {names} {client.health.check_liveness().status} {client.health.check_readiness()}"


def talk(client: Client) -> list[Message]:
    """Conversations, threads, messages."""
    made = client.conversations.create(title="Plans", is_group=True)
    client.participants.add(made.conversation_id, user_id=UUID(int=1), role="member")
    invite = client.invites.create(made.conversation_id, email="eve@example.com", role="viewer")
    client.invites.revoke(invite.token)
    thread = client.threads.create(made.conversation_id, content="first")
    reply: MessageCreated = client.messages.reply(thread.message_id, content="second", role="user")
    again: Response[MessageCreated] = client.messages.reply.raw(thread.message_id, content="third")
    client.messages.edit(reply.message_id, content="changed")
    client.messages.delete(reply.message_id, reason="wrong thread")
    client.messages.restore(str(again.data.message_id))
    if reply.assistant_message_id is not None:
        client.messages.cancel(reply.assistant_message_id)
        for chunk in client.messages.list_chunks(reply.assistant_message_id):
            print(chunk.idx + 1, chunk.created_at.isoformat())
    client.threads.mark_read(thread.root_id)
    unread = client.threads.list_unread(made.conversation_id).threads
    first: ConversationSummary | None = client.conversations.list().first()
    for page in client.threads.list(made.conversation_id, limit=5).pages():
        print(len(page.threads), page.next_after, unread, first)
    client.presence.send_heartbeat(status="online")
    client.presence.set_typing(conversation_id=made.conversation_id, root_id=thread.root_id, seconds=5)
    client.participants.remove(made.conversation_id, UUID(int=1))
    return list(client.threads.get_tree(thread.root_id))


def listen(client: Client, conversation: UUID) -> str:
    """Typed events, and a stop."""
    text = ""
    with client.streams.open_conversation(conversation, since=1) as stream:
        for event in stream:
            if event.event == "message.delta":
                piece = event.data.payload.choices[0].delta.content
                text += "" if piece is UNSET else piece
            elif event.event == "message.done":
                usage = event.data.payload.usage
                text += "" if usage is UNSET else f" ({usage.total_tokens})"
                stream.close()
    return text


def complete(client: Client) -> str | None:
    """Completions, whole and in pieces."""
    whole: Completion = client.completions.create(model="gpt-4", messages=[{"role": "user", "content": "Hello"}])
    for chunk in client.completions.create_stream(model="gpt-4", messages=[{"role": "user", "content": "Hello"}]):
        for choice in chunk.choices:
            print(choice.delta.content, choice.finish_reason)
    print([model.id for model in client.models.list().data])
    return whole.choices[0].message.content


def sign_in(url: str) -> Client:
    """Sessions, tokens, options, errors."""
    browser = Client(url, retry=Retry(max_retries=1), timeout_seconds=5.0)
    browser.sessions.login(email="ada@example.com", password="correct horse battery")
    browser.sessions.refresh()
    print(browser.sessions.get_me().abilities)
    browser.sessions.logout()
    made = browser.tokens.create(username="ada@example.com", password="correct horse battery")
    client = Client(url, bearer=Token(made.access_token, expires_in_seconds=made.expires_in))
    options: Options = {"timeout_seconds": 3, "max_retries": 0, "idempotency_key": "mine"}
    try:
        client.conversations.create(title="x", options=options)
    except RateLimited as error:
        print(error.retry_after_seconds)
    except Invalid as error:
        print([violation.pointer for violation in error.violations], error.request_id)
    except NotFound as error:
        print(error.code)
    print(client.tokens.get_me().scopes)
    return client.with_options(timeout_seconds=None)


async def all_of_it_async(client: AsyncClient, conversation: UUID) -> int:
    """The same, awaited."""
    made = await client.conversations.create(title="Plans")
    thread = await client.threads.create(made.conversation_id, content="first")
    count = 0
    async for message in client.threads.get_tree(thread.root_id):
        count += len(message.content)
    async for page in client.conversations.list().pages():
        count += len(page.conversations)
    newest = await client.conversations.list().first()
    raw = await client.messages.reply.raw(thread.message_id, content="second")
    async with client.streams.open_conversation(conversation) as stream:
        async for event in stream:
            assert isinstance(event, Event)
            break
    async for chunk in client.completions.create_stream(model="gpt-4", messages=[]):
        count += chunk.created
    return count + raw.status + (0 if newest is None else 1)
