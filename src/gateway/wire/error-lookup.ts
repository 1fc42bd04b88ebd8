import type { Refusal } from '../../errors.ts';
import { ERROR_ENTRIES } from './error-codes.ts';
import type { Meaning } from './error-entry.ts';

export interface ErrorRow {
  /** The MDM's number where a source confirms it; undefined where only the text is certain. */
  readonly code: number | undefined;
  /** Without the final period. */
  readonly text: string;
  readonly meaning: Meaning;
  /** What the operator can do. */
  readonly advice: string | undefined;
}

function normalized(text: string): string {
  return text
    .trim()
    .replace(/[.\s]+$/, '')
    .toLowerCase();
}

/**
 * Other numbers for the same refusal: 78 stood for a missing volume in 1.x ([cinder]; its later meaning, a missing SDS,
 * never comes our way), 4037 and 4039 belong to the host mappings of 4.x ([os-brick], [lxd]).
 */
const SAME_AS: Readonly<Record<number, number>> = { 78: 79, 4037: 81, 4039: 84 };

const byText = new Map<string, ErrorRow>();
const byName = new Map<string, ErrorRow>();
const byCode = new Map<number, ErrorRow>();
for (const [code, name, text, meaning, advice] of ERROR_ENTRIES) {
  const row: ErrorRow = { code: code ?? undefined, text, meaning, advice };
  byText.set(normalized(text), row);
  if (name !== null) byName.set(name, row);
  if (code !== null) byCode.set(code, row);
}

/** Words of a gateway that has lost its MDM for the moment; no source lists them all. */
const MDM_AWAY =
  /\bmdm\b.*\b(?:disconnected|unreachable|not available|not active|switch|failover)|\b(?:not|fail\w*|unable)(?: to)? (?:connect|reach|contact)\w*\b.*\bmdm\b/i;

/** The row for a refusal, by text, else by the MDM's name, else by number; undefined when none is known. */
export function findErrorRow(refusal: {
  readonly code: number;
  readonly text: string;
  readonly name: string | undefined;
}): ErrorRow | undefined {
  const { code, text, name } = refusal;
  const known = byText.get(normalized(text)) ?? byName.get(name ?? '') ?? byCode.get(SAME_AS[code] ?? code);
  if (known !== undefined || !MDM_AWAY.test(text)) return known;
  return { code: undefined, text, meaning: 'doubtful', advice: undefined };
}

const PLAIN: ReadonlySet<Meaning> = new Set(['rejected', 'capacity', 'auth', 'session', 'busy', 'doubtful']);

/** What a refusal means to who called, beyond its message. */
export function refusalOfRow(row: ErrorRow | undefined): Refusal {
  return row === undefined || isPlain(row.meaning) ? 'other' : row.meaning;
}

function isPlain(meaning: Meaning): meaning is Exclude<Meaning, Refusal> {
  return PLAIN.has(meaning);
}
