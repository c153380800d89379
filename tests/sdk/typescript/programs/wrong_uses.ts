/** Each line that ends with a code is refused by TypeScript with that code, and no other line is. */
import { Client, CookieJar, connect, type chat } from "accord-client";

export const client = new Client({ baseUrl: "http://127.0.0.1:1" });
export const id = "01936f4e-7c1c-7d3b-9a52-0c6f5e1b2a34";

new Client({}); // TS2345
new Client({ baseUrl: 8080 }); // TS2322
new Client({ baseUrl: "", credentials: { bearre: "x" } }); // TS2561
new Client({ baseUrl: "", credentials: { bearer: 7 } }); // TS2322
new Client({ baseUrl: "", cookies: new Map() }); // TS2739
connect("http://127.0.0.1"); // TS2345
new CookieJar({ SESSION_ID: "x" }); // TS2353
void client.message; // TS2551
void client.messages.repply(id, { content: "x" }); // TS2551
void client.messages.reply(); // TS2554
void client.messages.reply(id); // TS2554
void client.messages.reply(7, { content: "x" }); // TS2345
void client.messages.reply(id, {}); // TS2345
void client.messages.reply(id, { content: 7 }); // TS2322
void client.messages.reply(id, { content: null }); // TS2322
void client.messages.reply(id, { content: "x", rôle: "user" }); // TS2353
void client.messages.reply(id, { content: "x", role: "robot" }); // TS2322
void client.messages.reply(id, { content: "x" }, { idempotencykey: "k" }); // TS2561
void client.messages.reply(id, { content: "x" }, { timeoutMs: "5" }); // TS2322
void client.messages.reply(id, { content: "x" }, { ifMatch: '"1"' }); // TS2353
void client.messages.cancel(id, { reason: "x" }); // TS2353
void client.conversations.get(id, { idempotencyKey: "k" }); // TS2353
void client.threads.list(id, { limit: "10" }); // TS2322
void client.threads.list(id, { cursor: "x" }); // TS2353
void client.threads.list(id, { limit: 1 }, { signal: new AbortController() }); // TS2740
void client.participants.add(id, { user_id: id }); // TS2345
void client.presence.setTyping({ conversation_id: id, root_id: id }); // TS2345
void client.setup.create({ username: "a", email: "a@b.c", password: "x" }, { setupTokn: "t" }); // TS2561
void client.completions.create({ model: "gpt-4", messages: [{ role: "user", content: "x" }], stream: true }); // TS2322
void client.completions.create({ model: "gpt-4" }); // TS2345
void client.users.update(id, { is_active: null }); // TS2322

export async function answers(): Promise<void> {
  const created = await client.conversations.create({ title: "x" });
  void created.id; // TS2339
  const title: number = (await client.conversations.get(id)).title; // TS2322
  created.conversation_id = title; // TS2322
  const nothing: string = await client.threads.markRead(id); // TS2322
  for (const thread of client.threads.list(id)) void thread; // TS2488
  for await (const thread of client.threads.list(id)) void thread.title; // TS2339
  const first: chat.ThreadSummary = await client.threads.list(id).first(); // TS2322
  for await (const chunk of client.completions.create({ model: "m", messages: [] })) void chunk; // TS2504
  for await (const event of client.streams.openConversation(id)) {
    if (event.event === "thread.nwe") break; // TS2367
    if (event.event === "thread.new") void event.data.payload.message_id; // TS2339
  }
  void [nothing, first];
}
