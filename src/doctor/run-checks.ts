import { failed, problem, toldOnce, type Finding } from './finding.ts';

/** One thing to look at. Changes nothing; stops at the signal. */
export interface Check {
  readonly name: string;
  /** May reject: that is a finding, too. */
  run(signal: AbortSignal): Promise<readonly Finding[]>;
}

/**
 * Runs all checks at once and waits for none longer than `limitMs`, even when it does not heed its signal; findings come in
 * the order of the checks, what has one cause told once. Never rejects.
 */
export async function runChecks(checks: readonly Check[], limitMs: number): Promise<Finding[]> {
  const findings = await Promise.all(checks.map((check) => runOne(check, limitMs)));
  return toldOnce(findings.flat());
}

async function runOne(check: Check, limitMs: number): Promise<readonly Finding[]> {
  const { name } = check;
  const ended = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<readonly Finding[]>((resolve) => {
    timer = setTimeout(() => {
      ended.abort();
      const says = `no answer within ${Math.round(limitMs / 1000)} s`;
      resolve([problem(name, says, 'find out what hangs: network, gateway, engine or disk')]);
    }, limitMs);
  });
  try {
    return await Promise.race([late, check.run(ended.signal)]);
  } catch (error) {
    return [failed(name, error)];
  } finally {
    clearTimeout(timer);
  }
}
