/** A day with more than thirty operations, each argument and each answer typed. */
import { BadRequest, Client, CookieJar, Forbidden, type chat, type identity, type ServerEvent } from "accord-client";
import { answer, check, refusal, told } from "./outside.js";

const cookies = new CookieJar();
const client = new Client({ baseUrl: told("BASE_URL"), credentials: { bearer: told("TOKEN") } });
const browser = new Client({ baseUrl: told("BASE_URL"), cookies });
const stamp = Date.now().toString(36);

const state: { is_setup: boolean } = await client.setup.get();
check(state.is_setup, "somebody set the server up");
await refusal(BadRequest, client.setup.create({ username: "eve", email: "eve@example.com", password: "correct horse battery" }));
await client.health.checkLiveness();
await client.health.checkReadiness();
const health = await client.health.report();
const anyStatus: string = health.status;
check(anyStatus.length > 0, "health has a status");
await client.health.checkDependencies();
const metrics: string = await client.metrics.get();
check(metrics.includes("accord"), "metrics are text");
const yaml: string = await client.contract.getYaml();
check(yaml.includes("openapi:"), "the contract is text");
await client.contract.getJson();

const token: identity.Token = await client.tokens.create({ username: told("EMAIL"), password: told("PASSWORD") });
check(token.token_type === "bearer", "the form was read");
const holder = await client.tokens.getMe();
const me: identity.Me = await client.sessions.getMe();
check(me.id === holder.user_id, "both doors know the caller");

const user: identity.User = await client.users.create({ email: `${stamp}@example.com`, password: "correct horse battery", first_name: "Dan" });
const renamed = await client.users.update(user.id, { first_name: null });
check(renamed.first_name === null, "null is not absence");
check((await client.users.get(user.id)).email === user.email, "the user is there");
const known = await client.users.list({ limit: 200 }).toArray();
check(known.some((found) => found.id === user.id), "the user is listed");

const { conversation_id } = await client.conversations.create({ title: "Thirty", is_group: true });
const conversation: chat.Conversation = await client.conversations.get(conversation_id);
const role: "owner" | "admin" | "member" | "viewer" = conversation.role;
check(role === "owner", "its maker owns it");
await client.participants.add(conversation_id, { user_id: user.id, role: "member" });
await client.participants.remove(conversation_id, user.id);
const invite = await client.invites.create(conversation_id, { email: "zoe@example.com", role: "viewer" });
await client.invites.revoke(invite.token);

const stream = client.streams.openConversation(conversation_id);
await stream.open();
const thread = await client.threads.create(conversation_id, { content: "To whom it may concern", role: "system" });
const first = await firstOf(stream, "thread.new");
check(first.data.payload.root_id === thread.root_id, "the stream tells of the thread");

const reply = await client.messages.reply(thread.message_id, { content: "Noted.", role: "system" });
await client.messages.edit(reply.message_id, { content: "Noted, thanks." });
await client.messages.delete(reply.message_id, { reason: "too short" });
await client.messages.restore(reply.message_id);
check((await client.messages.listChunks(reply.message_id).first()) === undefined, "nothing was generated");
const tree = await client.threads.getTree(thread.root_id).toArray();
check(tree.length === 2 && tree[1]?.content === "Noted, thanks.", "the tree has both messages");
const asked = await client.messages.reply(thread.message_id, { content: "Anything else?" });
const answerId: string | null = asked.assistant_message_id;
check(answerId !== null, "an answer is being written");
const cancelled = await client.messages.cancel(answerId);
const status: "cancelled" | "timed_out" | "completed" | "not_tracked" | (string & {}) = cancelled.status;
check(status !== "not_tracked", "it was generated");
check((await client.threads.list(conversation_id).first())?.root_id === thread.root_id, "the thread is listed");
await client.threads.markRead(thread.root_id);
const unread: chat.UnreadCount[] = (await client.threads.listUnread(conversation_id)).threads;
check(unread.every((count) => count.root_id === thread.root_id), "counts are by thread");
await client.presence.setTyping({ conversation_id, root_id: thread.root_id, seconds: 5 });
await client.presence.sendHeartbeat({ status: "away" });

const models = await client.models.list();
check(models.data.some((model) => model.id === "gpt-4"), "gpt-4 is served");
const completion: chat.Completion = await client.completions.create({ model: "gpt-4", messages: [{ role: "user", content: "Hello" }] });
check(completion.choices[0]?.message.content?.includes("Hello") === true, "it was answered");

const root = "00000000-0000-0000-0000-000000000000";
const created = await client.apiKeys.create(root, { name: stamp, scopes: ["model:gpt-4"] });
const program = new Client({ baseUrl: told("BASE_URL"), credentials: { apiKey: () => Promise.resolve(created.data.apiKey) } });
check((await program.models.list()).data.length > 0, "the key opens the door");
await refusal(Forbidden, program.completions.create({ model: "gpt-3.5", messages: [{ role: "user", content: "Hello" }] }));
check((await client.apiKeys.list(root).toArray()).length > 0, "the key is listed");

const login = await browser.sessions.login({ email: told("EMAIL"), password: told("PASSWORD") });
check(cookies.get("CSRF-TOKEN") === login.csrf_token, "the session's secret is kept");
await browser.conversations.create({ title: "From a browser" });
await browser.sessions.refresh();
await browser.conversations.create({ title: "From the same browser" });
await browser.sessions.logout();
check(cookies.get("SESSION_ID") === undefined, "the session's cookie is forgotten");
await client.users.delete(user.id);
answer({ done: true });

type Name = chat.ConversationFrame["event"];

/** Read until an event of a name, whose data is typed by it. */
async function firstOf<N extends Name, E extends ServerEvent<Name, unknown>>(
  events: AsyncIterable<E>,
  name: N,
): Promise<Extract<E, { event: N }>> {
  for await (const event of events) {
    if (event.event === name) return event as Extract<E, { event: N }>;
  }
  throw new Error("the stream ended");
}
