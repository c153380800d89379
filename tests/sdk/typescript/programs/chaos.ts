/** Calls, streams and lists through a way that treats answers badly; tells all that it made and saw. */
import { Client, type ServerEvent } from "accord-client";
import { answer, told } from "./outside.js";

const AT_ONCE = 4;
const conversation = told("CONVERSATION");
const roots = JSON.parse(told("ROOTS")) as string[];
const calls = Number(told("CALLS"));
const [perThread, completionEvery] = [Number(told("PER_THREAD")), Number(told("COMPLETION_EVERY"))];
const retry = { maxRetries: 10, firstMs: 10, longestMs: 200 };
const client = new Client({ baseUrl: told("PROXY_URL"), credentials: { bearer: told("TOKEN") }, retry });

const made: string[] = [];
const texts: string[] = [];
const walked: Record<string, string[]> = {};
const listening = listen();
let next = 0;
await Promise.all(Array.from({ length: AT_ONCE }, work));
await client.threads.create(conversation, { content: "END", role: "tool" });
for (const root of roots) walked[root] = (await client.threads.getTree(root, { limit: 7 }).toArray()).map(({ id }) => id);
answer({ made, texts, walked, seen: await listening });

async function work(): Promise<void> {
  while (next < calls) {
    const number = next;
    next += 1;
    if (number % completionEvery === 0) texts.push(await complete());
    const root = roots[Math.floor(number / perThread)]!;
    made.push((await client.messages.reply(root, { content: `call ${number}`, role: "tool" })).message_id);
  }
}

async function complete(): Promise<string> {
  let text = "";
  const asked = { model: "gpt-4", messages: [{ role: "user" as const, content: told("WORDS") }] };
  for await (const chunk of client.completions.createStream(asked)) text += chunk.choices[0]?.delta.content ?? "";
  return text;
}

async function listen(): Promise<(string | undefined)[]> {
  const seen: (string | undefined)[] = [];
  for await (const event of client.streams.openConversation(conversation, { since: 1 })) {
    seen.push((event as ServerEvent<string, unknown>).id);
    if (event.event === "thread.new" && event.data.payload.summary === "END") break;
  }
  return seen;
}
