import { nearest } from '../../units/nearest.ts';
import { quote } from '../../units/quote.ts';
import { optionValues, type OptionName } from './option-values.ts';

/** Other names of options: those of REX-Ray, dvdcli and csi-powerflex. */
const ALIASES: Readonly<Record<string, OptionName>> = {
  type: 'pool',
  volumetype: 'pool',
  storagepool: 'pool',
  protectiondomain: 'domain',
  thinorthick: 'provisioning',
  fstype: 'fs',
  newfstype: 'fs',
};

/** Options of REX-Ray that never did anything there, and do nothing here. [rexray] */
const IGNORED: Readonly<Record<string, string>> = {
  availabilityzone: 'as REX-Ray did; choose a protection domain with domain',
  encrypted: 'as REX-Ray did: this plugin does not encrypt the data',
};

/** Options that promise a volume with content, or the loss of it; an empty volume must not come of them. */
const REFUSED: Readonly<Record<string, string>> = {
  volumename: 'a volume cannot be copied by creating one',
  volumeid: 'a volume cannot be copied by creating one',
  snapshotname: 'a volume cannot be made from a snapshot by creating one',
  snapshotid: 'a volume cannot be made from a snapshot by creating one',
  overwritefs: 'a volume that holds data is never formatted',
};

/** Names that files written for REX-Ray use, too. */
const SHARED_WITH_REXRAY: readonly string[] = [
  ...[
    'size',
    'iops',
    'type',
    'volumetype',
    'newfstype',
    'fstype',
    'availabilityzone',
    'encrypted',
    'overwritefs',
  ],
];

const NAMES = Object.keys(optionValues.shape) as OptionName[];

/** Options under the names that we use for them, what is wrong with the names, and what to tell the log. */
export interface NamedOptions {
  readonly values: ReadonlyMap<OptionName, string>;
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

/** Finds out which options are meant: any case, REX-Ray's names too. Unknown ones are faults that name the nearest. */
export function nameOptions(raw: Readonly<Record<string, string>>): NamedOptions {
  const values = new Map<OptionName, string>();
  const faults: string[] = [];
  const warnings: string[] = [];
  for (const [written, value] of Object.entries(raw)) {
    const key = written.toLowerCase();
    const name = NAMES.find((known) => known === key) ?? own(ALIASES, key);
    if (name !== undefined) {
      if ((values.get(name) ?? value) !== value)
        faults.push(`option "${name}" is given twice with different values`);
      values.set(name, value);
    } else if (own(IGNORED, key) !== undefined) {
      warnings.push(`option ${quote(written)} is ignored, ${own(IGNORED, key) ?? ''}`);
    } else if (!isHarmless(key, value)) {
      faults.push(faultOf(written));
    }
  }
  // Whoever writes an option that only this plugin has did not take the file over from REX-Ray.
  const isOurs = Object.keys(raw).some((key) => !SHARED_WITH_REXRAY.includes(key.toLowerCase()));
  if (values.has('iops') && !isOurs) {
    warnings.push(
      'option "iops" limits the volume here; REX-Ray ignored it, so a file that was written for it means more than it did',
    );
  }
  return { values, faults, warnings };
}

function isHarmless(key: string, value: string): boolean {
  return key === 'overwritefs' && value.toLowerCase() === 'false';
}

function faultOf(written: string): string {
  const reason = own(REFUSED, written.toLowerCase());
  if (reason !== undefined) return `option ${quote(written)} is not possible: ${reason}`;
  const near = nearest(written, [...NAMES, ...Object.keys(ALIASES)]);
  const hint = near === undefined ? '' : `, did you mean "${near}"?`;
  return `unknown option ${quote(written, 24)}${hint} (valid: ${NAMES.join(' ')})`;
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
