/** What a program is told, and where it answers. */
declare const process: { env: Record<string, string | undefined> };

export function told(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

export function answer(value: unknown): void {
  console.log(JSON.stringify(value));
}

export function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`not so: ${what}`);
}

/** Give what a promise rejects with, which must be of a class. */
export async function refusal<E extends Error>(kind: abstract new (...given: never[]) => E, promise: PromiseLike<unknown>): Promise<E> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof kind) return error as E;
    throw new Error(`not a ${kind.name}: ${String(error)}`, { cause: error });
  }
  throw new Error(`expected a ${kind.name}`);
}
