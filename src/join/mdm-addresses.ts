import type { ConfiguredMdm } from './ports.ts';

/** What an SDC's configured MDM addresses are, measured by what the array says that its MDMs have. */
export type MdmJudgement =
  /** Nothing configured can be meant for this array. */
  | { readonly verdict: 'missing' }
  /** Addresses that the SDC cannot reach, and none of them the array's: perhaps its old ones, perhaps a virtual one. */
  | { readonly verdict: 'unclear'; readonly configured: readonly string[] }
  /** Configured, but not with every address. */
  | {
      readonly verdict: 'partial';
      readonly known: string;
      readonly lacking: readonly string[];
      readonly all: string[];
    }
  | { readonly verdict: 'complete' };

/** Judges without asking anybody. */
export function judgeMdmAddresses(
  configured: readonly ConfiguredMdm[],
  array: { readonly systemId: string; readonly addresses: readonly string[] },
): MdmJudgement {
  const ours = configured.find(
    ({ systemId, addresses }) =>
      systemId === array.systemId ||
      (systemId === null && addresses.some((one) => array.addresses.includes(one))),
  );
  if (ours === undefined) {
    const unreached = configured.filter(({ systemId }) => systemId === null);
    if (unreached.length === 0) return { verdict: 'missing' };
    return { verdict: 'unclear', configured: unreached.flatMap(({ addresses }) => addresses) };
  }
  const lacking = array.addresses.filter((one) => !ours.addresses.includes(one));
  const [known] = ours.addresses;
  if (lacking.length === 0 || known === undefined) return { verdict: 'complete' };
  return { verdict: 'partial', known, lacking, all: [...ours.addresses, ...lacking] };
}
