/** What calls reject with, and what the errors say. */
import * as accord from "accord-client";
import { answer, check, refusal, told } from "./outside.js";

const { Client } = accord;
const baseUrl = told("BASE_URL");
const client = new Client({ baseUrl, credentials: { bearer: told("TOKEN") } });
const nobody = "01936f4e-7c1c-7d3b-9a52-0c6f5e1b2a34";

const invalid = await refusal(accord.Invalid, client.conversations.create({ title: "", is_group: "maybe" as never }));
check(invalid.status === 422 && invalid.code !== undefined, "a problem has status and code");
const pointers = new Set(invalid.violations.map((violation) => violation.pointer));
check([...pointers].sort().join() === "/is_group,/title", "every clause is named");
check(invalid.violations.every((violation) => violation.source?.startsWith("spec/") === true), "with its line");
check(invalid.requestId !== undefined && invalid.idempotencyKey !== undefined, "with what finds and repeats it");
check(invalid.operation === "conversations_create" && invalid.name === "Invalid", "with its names");

const missing = await refusal(accord.NotFound, client.conversations.get(nobody));
check(missing.code === "RGP.NOT_FOUND", "the surface's code");
const workflow = await refusal(accord.NotFound, client.users.get(nobody));
check(workflow.code === "not_found", "the code inside details");
const openai = await refusal(accord.BadRequest, client.completions.create({ model: "", messages: [] }));
check(openai.code !== undefined && openai.violations.length > 1, "OpenAI's shape is read too");
const keys = await refusal(accord.BadRequest, client.apiKeys.create(nobody, { name: "" } as never));
check(keys.code === "VALIDATION_ERROR" && keys.violations.length > 0, "and the shape with a list of details");
await refusal(accord.Unauthorized, new Client({ baseUrl }).conversations.get(nobody));
await refusal(accord.Unauthorized, new Client({ baseUrl, credentials: { bearer: "none" } }).conversations.get(nobody));
await refusal(TypeError, client.conversations.get(".."));

const { conversation_id } = await client.conversations.create({ title: "Read twice" });
const read = await client.conversations.get(conversation_id).withResponse();
check(read.etag !== undefined && read.requestId !== undefined && read.data.title === "Read twice", "an answer with its head");
await refusal(accord.NotModified, client.conversations.get(conversation_id, { ifNoneMatch: read.etag }));
const user = await client.users.create({ email: `${Date.now()}@example.org` });
await refusal(accord.PreconditionFailed, client.users.update(user.id, { first_name: "Eve" }, { ifMatch: '"old"' }));
const raw = await client.conversations.get(conversation_id, { headers: { "x-request-id": "mine" } }).asResponse();
check(raw.headers.get("x-request-id") === "mine" && !raw.bodyUsed, "a raw answer is unread");
check(((await raw.json()) as { title: string }).title === "Read twice", "and can be read");

const idempotencyKey = `key-${Date.now()}`;
const once = await client.conversations.create({ title: "Once" }, { idempotencyKey }).withResponse();
const again = await client.conversations.create({ title: "Once" }, { idempotencyKey }).withResponse();
check(!once.isReplayed && again.isReplayed && once.data.conversation_id === again.data.conversation_id, "one key, one effect");
await refusal(accord.Invalid, client.conversations.create({ title: "Twice" }, { idempotencyKey }));

const closed = new Client({ baseUrl: "http://127.0.0.1:9", retry: { maxRetries: 1, firstMs: 1 } });
const failed = await refusal(accord.ConnectionFailed, closed.conversations.create({ title: "Nowhere" }));
check(failed.idempotencyKey !== undefined && !(failed instanceof accord.TimedOut), "a lost call can be repeated");
const mute: typeof fetch = (_, init) =>
  new Promise((_resolve, reject) => init?.signal?.addEventListener("abort", () => reject(init.signal?.reason)));
const waiting = new Client({ baseUrl, fetch: mute, retry: { maxRetries: 1, firstMs: 1 } });
const late = await refusal(accord.TimedOut, waiting.conversations.get(conversation_id, { timeoutMs: 20 }));
check(late.operation === "conversations_get", "a late one says which it was");
const stopped = new AbortController();
const pending = client.conversations.get(conversation_id, { signal: stopped.signal });
stopped.abort(new RangeError("enough"));
await refusal(RangeError, pending);
answer({ message: invalid.message });
