/**
 * One call to the API, typed by its path: parameters, body and answer are those of the API's own description
 * (`api-types.ts`). Every failure becomes a `Problem` whose message can be read by a nurse.
 */

import { t } from "../text";
import type { paths } from "./api-types";
import { Problem, wordsFor, wrongFields, type ProblemBody } from "./problem";

export type Method = "get" | "post" | "put" | "patch" | "delete";
/** The paths that one may ask by a method. */
export type PathOf<M extends Method> = { [P in keyof paths]: paths[P] extends Record<M, object> ? P : never }[keyof paths];
type Operation<M extends Method, P extends PathOf<M>> = paths[P] extends Record<M, infer O> ? O : never;

type Parameters<O, Place extends string> = O extends { parameters: infer All } ? (Place extends keyof All ? All[Place] : never) : never;
type BodyOf<O> = O extends { requestBody: { content: { "application/json": infer B } } }
  ? B
  : O extends { requestBody?: { content: { "application/json": infer B } } }
    ? B | undefined
    : undefined;
type Content<A> = A extends { content: { "application/json": infer T } } ? T : null;
export type Answer<M extends Method, P extends PathOf<M>> =
  Operation<M, P> extends { responses: infer All } ? Content<All[keyof All]> : null;

/** A part is asked for where the operation has it; what is optional there may be left out. */
type Wanted<Name extends string, T> = [T] extends [undefined]
  ? { [N in Name]?: never }
  : undefined extends T
    ? { [N in Name]?: T }
    : object extends T
      ? { [N in Name]?: T }
      : { [N in Name]: T };
export type Given<M extends Method, P extends PathOf<M>> = Wanted<"path", Parameters<Operation<M, P>, "path">> &
  Wanted<"query", Parameters<Operation<M, P>, "query">> &
  Wanted<"body", BodyOf<Operation<M, P>>> & {
    /** The same intention has the same key, however often it is sent. */
    key?: string;
    headers?: Record<string, string>;
    /** How long an answer is waited for (ms), where that is unusual. */
    wait?: number;
  };
type Rest<M extends Method, P extends PathOf<M>> = object extends Given<M, P> ? [given?: Given<M, P>] : [given: Given<M, P>];

const READ_MS = 10_000;
/** Whoever acts does not wait longer to hear that it did not go through. */
const ACT_MS = 6_000;

/** Relative to the page, so that it also works below a sub-path. */
export function apiUrl(path: string): string {
  return new URL(`api/v1/${path}`, document.baseURI).href;
}

/** A path with its places filled, and its query. What is null or undefined is not asked. */
export function address(path: string, places: Record<string, unknown> = {}, query: Record<string, unknown> = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(places[name])));
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== null && one !== undefined) asked.append(name, String(one));
  }
  return asked.size ? `${filled}?${asked}` : filled;
}

interface Sent {
  path?: unknown;
  query?: unknown;
  body?: unknown;
  key?: string;
  headers?: Record<string, string>;
  wait?: number;
}

export async function request<M extends Method, P extends PathOf<M>>(method: M, path: P, ...rest: Rest<M, P>): Promise<Answer<M, P>> {
  const given: Sent = rest[0] ?? {};
  const url = address(path as string, given.path as Record<string, unknown>, given.query as Record<string, unknown>);
  return (await send(method.toUpperCase(), url, given.body, given.key, given.headers, given.wait)) as Answer<M, P>;
}

/** What is sent whole, whatever its type. */
export async function send(method: string, path: string, body?: unknown, key?: string, more: Record<string, string> = {}, wait = key ? ACT_MS : READ_MS): Promise<unknown> {
  const headers: Record<string, string> = { Accept: "application/json", ...more };
  if (method !== "GET") headers["X-Ward-Request"] = "1";
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  let response: Response;
  try {
    response = await fetch(apiUrl(path), {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      credentials: "same-origin",
      cache: "no-store",
      signal: AbortSignal.timeout(wait),
    });
  } catch (error) {
    const late = error instanceof DOMException && error.name === "TimeoutError";
    throw new Problem(late ? t.errors.timeout : t.errors.network, 0);
  }
  const text = await response.text().catch(() => "");
  let data: unknown = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    if (response.ok) throw new Problem(t.errors.server(response.status), response.status);
  }
  if (!response.ok) {
    const later = Number(response.headers.get("Retry-After")) || 0;
    const body = data as ProblemBody | null;
    throw new Problem(wordsFor(response.status, body), response.status, later, wrongFields(body));
  }
  return data;
}

/** As many pages of a list as the dashboard takes in. */
const MOST_PAGES = 20;

interface PageOf<T> {
  items: T[];
  next?: string | null;
}

/** Every page of a list. `page` asks for one. */
export async function every<T>(page: (cursor: string | null) => Promise<PageOf<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let i = 0; i < MOST_PAGES; i++) {
    const found: PageOf<T> = await page(cursor);
    items.push(...found.items);
    cursor = found.next ?? null;
    if (cursor === null) break;
  }
  return items;
}
