/** Follows a conversation through a way that cuts, beside one that does not: both see the same events. */
import { Client, NotFound, type ServerEvent } from "accord-client";
import { answer, check, refusal, told } from "./outside.js";

const THREADS = 12;
const credentials = { bearer: told("TOKEN") };
const direct = new Client({ baseUrl: told("BASE_URL"), credentials });
const cut = new Client({ baseUrl: told("PROXY_URL"), credentials, retry: { firstMs: 5, longestMs: 50 } });
const { conversation_id } = await direct.conversations.create({ title: "Cut" });

const steady = direct.streams.openConversation(conversation_id);
const shaky = cut.streams.openConversation(conversation_id);
await Promise.all([steady.open(), shaky.open()]);
const reading = Promise.all([read(steady), read(shaky)]);
for (let number = 0; number < THREADS; number += 1) {
  await direct.threads.create(conversation_id, { content: `thread ${number}`, role: "system" });
}
const [expected, found] = await reading;
check(found.join() === expected.join(), `no event is missed or repeated: ${found.length} of ${expected.length}`);

const since = new Client({ baseUrl: told("BASE_URL"), credentials });
const later = since.streams.openConversation(conversation_id, { lastEventId: expected[3]! });
const rest: string[] = [];
for await (const event of later) {
  rest.push(event.id!);
  if (rest.length === expected.length - 4) break;
}
check(rest.join() === expected.slice(4).join(), "a stream goes on where another ended");

const quiet = direct.streams.openConversation(conversation_id);
await quiet.open();
setTimeout(() => quiet.stop(), 50);
for await (const event of quiet) check(false, `nothing happens any more: ${event.event}`);
const ending = new AbortController();
setTimeout(() => ending.abort(), 50);
for await (const event of direct.streams.openConversation(conversation_id, {}, { signal: ending.signal })) {
  check(false, `nothing happens any more: ${event.event}`);
}
await refusal(NotFound, direct.streams.openConversation("01936f4e-7c1c-7d3b-9a52-0c6f5e1b2a34").open());
answer({ events: found.length });

/** Read ids until the last thread is announced. */
async function read(stream: AsyncIterable<ServerEvent<string, unknown>>): Promise<string[]> {
  const ids: string[] = [];
  let threads = 0;
  for await (const event of stream) {
    ids.push(event.id!);
    if (event.event === "thread.new") threads += 1;
    if (threads === THREADS) return ids;
  }
  throw new Error("the stream ended by itself");
}
