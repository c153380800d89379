/** Makes the calls that it reads, a line of JSON each, and writes what became of each: node caller.mjs PACKAGE URL. */
import { createInterface } from "node:readline";

const [, , entry, baseUrl] = process.argv;
const { Client, CookieJar, EventStream, Pager, StatusError } = await import(entry);
const client = new Client({
  baseUrl,
  credentials: { bearer: "b", apiKey: "k" },
  cookies: new CookieJar([["SESSION_ID", "s"], ["CSRF-TOKEN", "c"]]),
  retry: { maxRetries: 2, firstMs: 1, longestMs: 1 },
});

for await (const line of createInterface({ input: process.stdin })) {
  const { resource, method, given } = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await outcome(resource, method, given))}\n`);
}

async function outcome(resource, method, given) {
  try {
    const called = client[resource][method](...given.map((value) => value ?? undefined));
    return { requestId: await requestId(called) };
  } catch (error) {
    if (!(error instanceof StatusError)) return { failure: String(error.stack ?? error) };
    const { status, code, requestId: id, violations } = error;
    return { error: { status, code: code ?? null, request_id: id ?? null, pointers: violations.map(({ pointer }) => pointer) } };
  }
}

async function requestId(called) {
  if (called instanceof Pager) return (await called.page()).response.headers.get("x-request-id");
  if (!(called instanceof EventStream)) return (await called.withResponse()).requestId;
  const response = await called.open();
  for await (const _ of called) break;
  return response.headers.get("x-request-id");
}
