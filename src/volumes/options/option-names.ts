import { nearest } from '../../units/nearest.ts';
import { quote } from '../../units/quote.ts';
import { OPTION_ENTRIES, OPTIONS, type OptionField } from './option-table.ts';

/** Every name of an option, in lower case, and which it is. */
const FIELD_OF: ReadonlyMap<string, OptionField> = new Map(
  OPTION_ENTRIES.flatMap(([field, { name, rexray = [], aliases = [] }]) =>
    [name, ...rexray, ...aliases].map((known) => [known.toLowerCase(), field] as const),
  ),
);

/** Options of REX-Ray that never did anything there, and do nothing here. [rexray] */
export const IGNORED_OPTIONS: Readonly<Record<string, string>> = {
  availabilityZone: 'as REX-Ray did; choose a protection domain with domain',
  encrypted: 'as REX-Ray did: this plugin does not encrypt the data',
};
const IGNORED = byLowerCase(IGNORED_OPTIONS);

/** Options that promise a volume with content, or the loss of it; an empty volume must not come of them. */
export const REFUSED_OPTIONS: Readonly<Record<string, string>> = {
  volumeName: 'REX-Ray copied nothing there; a copy of a volume is made with from=VOLUME',
  volumeID: 'REX-Ray copied nothing there; a copy of a volume is made with from=VOLUME',
  snapshotName: 'REX-Ray copied nothing there; a copy of a snapshot is made with from=VOLUME@SNAPSHOT',
  snapshotID: 'REX-Ray copied nothing there; a copy of a snapshot is made with from=VOLUME@SNAPSHOT',
  overwriteFs: 'a volume that holds data is never formatted',
};
const REFUSED = byLowerCase(REFUSED_OPTIONS);

/** Names that files written for REX-Ray use, too. */
const SHARED_WITH_REXRAY: ReadonlySet<string> = new Set([
  ...OPTION_ENTRIES.flatMap(([, { rexray = [] }]) => rexray.map((name) => name.toLowerCase())),
  ...IGNORED.keys(),
  'overwritefs',
]);

const NAMES = OPTION_ENTRIES.map(([, { name }]) => name);

/** Options by what the core calls them, what is wrong with the names, and what to tell the log. */
export interface NamedOptions {
  readonly values: ReadonlyMap<OptionField, string>;
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
  /** As written: REX-Ray's options that do nothing here; a warning tells of each. */
  readonly ignored: readonly string[];
}

/** Finds out which options are meant: any case, REX-Ray's names too. Unknown ones are faults that name the nearest. */
export function nameOptions(raw: Readonly<Record<string, string>>): NamedOptions {
  const values = new Map<OptionField, string>();
  const faults: string[] = [];
  const warnings: string[] = [];
  const ignored: string[] = [];
  for (const [written, value] of Object.entries(raw)) {
    const key = written.toLowerCase();
    const field = FIELD_OF.get(key);
    if (field !== undefined) {
      if ((values.get(field) ?? value) !== value)
        faults.push(`option "${OPTIONS[field].name}" is given twice with different values`);
      values.set(field, value);
    } else if (IGNORED.has(key)) {
      ignored.push(written);
      warnings.push(`option ${quote(written)} is ignored, ${IGNORED.get(key) ?? ''}`);
    } else if (!isHarmless(key, value)) {
      faults.push(faultOf(written));
    }
  }
  // Whoever writes an option that only this plugin has did not take the file over from REX-Ray.
  const isOurs = Object.keys(raw).some((key) => !SHARED_WITH_REXRAY.has(key.toLowerCase()));
  if (values.has('iops') && !isOurs) {
    warnings.push(
      'option "iops" limits the volume here; REX-Ray ignored it, so a file that was written for it means more than it did',
    );
  }
  return { values, faults, warnings, ignored };
}

function isHarmless(key: string, value: string): boolean {
  return key === 'overwritefs' && value.toLowerCase() === 'false';
}

function faultOf(written: string): string {
  const reason = REFUSED.get(written.toLowerCase());
  if (reason !== undefined) return `option ${quote(written)} is not possible: ${reason}`;
  const near = nearest(written, FIELD_OF.keys());
  const hint = near === undefined ? '' : `, did you mean "${near}"?`;
  return `unknown option ${quote(written, 24)}${hint} (valid: ${NAMES.join(' ')})`;
}

function byLowerCase(table: Readonly<Record<string, string>>): ReadonlyMap<string, string> {
  return new Map(Object.entries(table).map(([name, why]) => [name.toLowerCase(), why]));
}
