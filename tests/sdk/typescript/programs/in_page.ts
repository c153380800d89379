/** What a page does: a log-in that the browser keeps, a list, a stream of events, a streamed completion, and other origins. */
import { Client, ConnectionFailed, Forbidden } from "accord-client";
import { check, refusal } from "./outside.js";

interface Told {
  elsewhere: string;
  email: string;
  password: string;
}

const THREADS = 3;
const stages: string[] = [];
await fetch("/result", { method: "POST", body: JSON.stringify(await done()) });

async function done(): Promise<object> {
  try {
    await visit((await (await fetch("/told")).json()) as Told);
    return { stages };
  } catch (error) {
    return { stages, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

async function visit({ elsewhere, email, password }: Told): Promise<void> {
  const client = new Client({ baseUrl: location.origin });
  const login = await client.sessions.login({ email, password });
  check(document.cookie.includes(`CSRF-TOKEN=${login.csrf_token}`), "the browser keeps the session");
  check(!document.cookie.includes("SESSION_ID"), "its secret is not shown to pages");
  stages.push("logged in");

  const { conversation_id } = await client.conversations.create({ title: "From a page" });
  const stream = client.streams.openConversation(conversation_id);
  await stream.open();
  for (let number = 0; number < THREADS; number += 1) {
    await client.threads.create(conversation_id, { content: `thread ${number}`, role: "system" });
  }
  let seen = 0;
  for await (const event of stream) {
    if (event.event === "thread.new") seen += 1;
    if (seen === THREADS) break;
  }
  stages.push("events");

  const roots = await client.threads.list(conversation_id, { limit: 1 }).toArray();
  check(roots.length === THREADS, "each page is fetched");
  stages.push("pages");

  let words = "";
  const chunks = client.completions.createStream({ model: "gpt-4", messages: [{ role: "user", content: "Hello from a page" }] });
  for await (const chunk of chunks) words += chunk.choices[0]?.delta.content ?? "";
  check(words.includes("Hello from a page"), `it was answered: ${words}`);
  stages.push("a streamed reply");

  await refusal(ConnectionFailed, new Client({ baseUrl: elsewhere, retry: { maxRetries: 0 } }).health.checkLiveness());
  stages.push("no other origin");

  document.cookie = "CSRF-TOKEN=stale; path=/";
  await refusal(Forbidden, client.conversations.create({ title: "Forged" }));
  stages.push("no forged request");
}
