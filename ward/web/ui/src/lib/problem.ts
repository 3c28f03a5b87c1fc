/** What went wrong, in words that a nurse can read. */

import { t } from "../text";
import { sayFault, sayWrong } from "./faults";
import { fill } from "./format";

/** One field that is wrong; of a text, in which line. */
export interface FieldProblem {
  field: string;
  message: string;
  line?: number;
}

export class Problem extends Error {
  constructor(
    message: string,
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    /** Seconds to wait before trying again, where the server said so. */
    readonly retryAfter = 0,
    readonly errors: readonly FieldProblem[] = [],
  ) {
    super(message);
  }
}

/** Problem details (RFC 9457). `code` and `params` say in a stable form what `detail` says in English. */
export interface ProblemBody {
  type?: unknown;
  title?: unknown;
  detail?: unknown;
  code?: unknown;
  params?: unknown;
  errors?: FieldProblem[];
}

/** Each field that is wrong, in the chosen language as far as there are words for it. */
export function wrongFields(body: ProblemBody | null): FieldProblem[] {
  return (body?.errors ?? []).map((one) => ({ ...one, field: sayFault(one.field), message: sayWrong(one.message) }));
}

/** The code of a request whose fields are wrong, and the types that list what is wrong with a rule, a pack or a plan. */
const OF_FIELDS = "fields";
const OF_TEXT = /\/invalid-(rule|plan)$/;
/** More is not read. */
const MOST = 3;

/** What went wrong this time: in the chosen language where it has a code, else as the server says it. */
function detailOf(body: ProblemBody | null): string {
  const wrong = wrongFields(body).slice(0, MOST);
  // What names its field needs no code of its own: its words are known like those of any other field.
  if (wrong.length && (!body?.code || body.code === OF_FIELDS || OF_TEXT.test(String(body?.type)))) {
    // The name of the field alone, without where in the request it stands.
    const said = wrong.map(({ field, message }) => `${field.split(".").at(-1) ?? ""}: ${message}`);
    return fill(t.problems[OF_FIELDS] ?? "{detail}", { detail: said.join("; ") });
  }
  const words = typeof body?.code === "string" ? t.problems[body.code] : undefined;
  if (words) return fill(words, (body?.params ?? {}) as Record<string, unknown>);
  return typeof body?.detail === "string" ? body.detail : typeof body?.title === "string" ? body.title : "";
}

/** Words for an answer that is not a success. */
export function wordsFor(status: number, body: ProblemBody | null): string {
  const detail = detailOf(body);
  if (status === 401) return t.errors.unauthorised;
  if (status === 403) return t.errors.forbidden(detail).trim();
  if (status === 404) return t.errors.notFound;
  if (status === 409 || status === 412) return t.errors.conflict(detail).trim();
  if (!detail || (status >= 500 && !t.problems[body?.code as string])) return t.errors.server(status);
  return detail;
}
