/** Creates through a way that loses answers: every call succeeds, and every effect happened once. */
import { Client, ConnectionFailed, type chat } from "accord-client";
import { answer, check, refusal, told } from "./outside.js";

const retry = { firstMs: 5, longestMs: 20, maxRetries: 8 };
const client = new Client({ baseUrl: told("PROXY_URL"), credentials: { bearer: told("TOKEN") }, retry });
const direct = new Client({ baseUrl: told("BASE_URL"), credentials: { bearer: told("TOKEN") } });
const { conversation_id } = await direct.conversations.create({ title: "Lost answers" });

const roots = new Set<string>();
let replayed = 0;
for (let number = 0; number < 20; number += 1) {
  const call = client.threads.create(conversation_id, { content: `thread ${number}`, role: "system" });
  const { data, isReplayed } = await call.withResponse();
  roots.add(data.root_id);
  replayed += Number(isReplayed);
}
const threads: chat.ThreadSummary[] = await client.threads.list(conversation_id, { limit: 4 }).toArray();
check(new Set(threads.map((thread) => thread.root_id)).size === threads.length, "no thread is listed twice");
check(threads.every((thread) => roots.has(thread.root_id)), "no thread was made behind a call's back");
const once = { maxRetries: 0 };
let lost = 0;
for (let number = 0; number < 4; number += 1) {
  await client.conversations.get(conversation_id, once).catch((error: unknown) => {
    check(error instanceof ConnectionFailed, "a lost answer is a lost connection");
    lost += 1;
  });
}
const calls = told("LOSE_ALL_URL");
const hopeless = new Client({ baseUrl: calls, credentials: { bearer: told("TOKEN") }, retry: { ...retry, maxRetries: 3 } });
await refusal(ConnectionFailed, hopeless.sessions.login({ email: told("EMAIL"), password: told("PASSWORD") }));
answer({ threads: threads.length, roots: roots.size, replayed, lost });
