/** Lists by keyset and by offset: whole, page by page, first items, from a position, while rows are added. */
import { Client } from "accord-client";
import { answer, check, told } from "./outside.js";

const client = new Client({ baseUrl: told("BASE_URL"), credentials: { bearer: told("TOKEN") } });
const { conversation_id } = await client.conversations.create({ title: "Pages" });
const made: string[] = [];
for (let number = 0; number < 7; number += 1) {
  made.push((await client.threads.create(conversation_id, { content: `thread ${number}`, role: "system" })).root_id);
}
const list = client.threads.list(conversation_id, { limit: 3 });
const read: string[] = [];
for await (const thread of list) {
  read.push(thread.root_id);
  if (read.length === 2) await client.threads.create(conversation_id, { content: "meanwhile", role: "system" });
}
check(read.join() === made.toReversed().join(), "each thread came once, the latest first, in spite of a newer one");

const sizes: number[] = [];
let last: string | number | undefined;
for await (const page of list.pages()) {
  sizes.push(page.items.length);
  check(page.response.headers.get("x-request-id") !== null, "a page has its response");
  last = page.next ?? last;
}
check((await client.threads.list(conversation_id, { limit: 3, after: String(last) }).toArray()).length === 2, "a list begins anywhere");
check((await client.threads.list(conversation_id).first())?.root_excerpt === "meanwhile", "the first is the newest");
check((await list.toArray(4)).length === 4, "as many as asked for");

const users = await client.users.list({ limit: 1 }).toArray();
const once = await client.users.list().toArray();
check(users.map((user) => user.id).join() === once.map((user) => user.id).join(), "offsets skip and repeat nobody");
answer({ sizes, users: users.length });
