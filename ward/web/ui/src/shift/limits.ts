/** The numbers in a rule's clauses, so that a person changes just those. Pure. */

const CLAUSE = /^(\S+) (<=|>=|<|>) (-?[\d.]+)$/;

export interface Clause {
  signal: string;
  op: string;
  number: number;
}

/** Null for a clause without a number ('spo2 absent'). */
export function parseClause(text: string): Clause | null {
  const found = CLAUSE.exec(text);
  return found ? { signal: found[1] ?? "", op: found[2] ?? "", number: Number(found[3]) } : null;
}

/** The clauses with other numbers, in order; null in `numbers` leaves one as it was. */
export function withNumbers(when: string[], numbers: (number | null)[]): string[] {
  return when.map((text, i) => {
    const clause = parseClause(text);
    const number = numbers[i];
    return clause && number !== null && number !== undefined ? `${clause.signal} ${clause.op} ${number}` : text;
  });
}
