"""Uses that are wrong: every line marked so is a type error, and no other is."""

# ruff: noqa: B018  (an attribute that there is not is one of them)
from __future__ import annotations

from uuid import UUID

from accord_client import AsyncClient, Client, Options, Retry, Token
from accord_client.types.chat import MessageCreated

ID = UUID(int=1)
client = Client("http://127.0.0.1", bearer="token")
unknown = client.message  # wrong
client.messages.answer(ID, content="x")  # wrong
client.messages.reply(content="x")  # wrong
client.messages.reply(ID)  # wrong
client.messages.reply(ID, content=3)  # wrong
client.messages.reply(ID, content=None)  # wrong
client.messages.reply(ID, "x")  # wrong
client.messages.reply(7, content="x")  # wrong
client.messages.reply(ID, content="x", role="boss")  # wrong
client.messages.reply(ID, content="x", colour="red")  # wrong
client.messages.reply(ID, content="x", options={"timeout": 3})  # wrong
client.messages.reply(ID, content="x", options={"max_retries": "3"})  # wrong
client.messages.reply.raw(ID, text="x")  # wrong
text: str = client.messages.reply(ID, content="x")  # wrong
client.messages.reply(ID, content="x").message  # wrong
client.messages.reply(ID, content="x").assistant_message_id.hex  # wrong
client.messages.reply.raw(ID, content="x").message_id  # wrong
client.users.update(ID, first_name=3)  # wrong
client.conversations.create(title="x", is_group="yes")  # wrong
client.api_keys.create(ID, name="x", scopes="model:*")  # wrong
client.api_keys.create(ID, name="x", expires_at="2030-01-01")  # wrong
client.participants.add(ID, user_id=ID, role="king")  # wrong
client.threads.list(ID).items  # wrong
client.threads.list(ID, limit="5")  # wrong
client.conversations.list().first().title  # wrong
for thread in client.threads.list(ID):
    thread.title  # wrong
for event in client.streams.open_conversation(ID):
    if event.event == "message.deltas":  # wrong
        pass
    if event.event == "message.delta":
        event.data.payload.text  # wrong
for chunk in client.completions.create_stream(model="gpt-4", messages=[]):
    chunk.choices.delta  # wrong
client.completions.create(model="gpt-4", messages=[{"role": "robot", "content": "x"}])  # wrong
client.completions.create(model="gpt-4", messages=[{"content": "x"}])  # wrong
client.completions.create(model="gpt-4", messages="x")  # wrong
client.completions.create(model="gpt-4", messages=[], temperature="hot")  # wrong
client.completions.create(model="gpt-4", messages=[], stream=True)  # wrong
Client(bearer="token")  # wrong
Client("http://127.0.0.1", password="x")  # wrong
Client("http://127.0.0.1", retry=3)  # wrong
Retry(tries=3)  # wrong
Token(3)  # wrong
options: Options = {"idempotency": "x"}  # wrong
client.with_options(retries=3)  # wrong
frozen = MessageCreated(message_id=ID, root_id=ID, conversation_id=ID, parent_id=ID, depth=2, assistant_message_id=None)
frozen.depth = 3  # wrong


async def forgotten(other: AsyncClient) -> None:
    other.messages.reply(ID, content="x").message_id  # wrong
    for thread in other.threads.list(ID):  # wrong
        del thread
    with other.streams.open_conversation(ID):  # wrong
        pass
