import { removeLab } from '../hosts/record.ts';
import { InterruptedError, type Steps } from './steps.ts';

/**
 * Runs a demo, which returns what it has to say at the end, and removes its lab however it ends. Returns the exit code:
 * 130 after an interrupt.
 */
export async function demonstrate(
  steps: Steps,
  labName: string,
  show: () => Promise<string>,
): Promise<number> {
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      signals += 1;
      if (signals > 1) process.exit(130);
      steps.say('\nInterrupted: cleaning up (again to leave at once; the next run cleans up then)');
      steps.interrupt();
    });
  }
  try {
    const last = await show();
    await steps.run('Clean up', ['hosts, networks, devices and files go'], () => removeLab(labName));
    steps.say(last);
    return 0;
  } catch (error) {
    await steps.settled();
    await removeLab(labName);
    if (error instanceof InterruptedError) return 130;
    console.error('\nThe demo failed:', error);
    return 1;
  }
}
