import { readFile } from 'node:fs/promises';
import type { Host } from '../../lab/hosts/host.ts';
import type { SeenProcess } from '../../lab/hosts/process.ts';
import { DRIVER } from '../../lab/hosts/scaleio-plugin.ts';
import { until } from '../../lab/hosts/until.ts';
import type { PluginLog } from '../../lab/stage/plugin-log.ts';

/** What is measured of a managed plugin's start. */
export interface StartFigures {
  /** What a user waits for `docker plugin enable`; the engine sleeps for 500 of it. */
  readonly enableMs: number;
  /** From the start of the process to the socket. */
  readonly listeningMs: number;
  readonly residentMiB: number;
}

/** Enables the disabled plugin and measures it. */
export async function enableMeasured(host: Host, log: PluginLog): Promise<StartFigures> {
  const mark = await log.mark();
  const begin = performance.now();
  await host.docker(['plugin', 'enable', DRIVER]);
  const enableMs = Math.round(performance.now() - begin);
  const listening = await until('the plugin to say that it listens', async () =>
    (await log.lines(mark)).find(({ msg }) => msg === 'listening'),
  );
  const plugin = await runningPlugin(host);
  const listeningMs = Math.round(Date.parse(listening.time) - (await startedAt(plugin)));
  return { enableMs, listeningMs, residentMiB: await residentMiB(plugin) };
}

/** The plugin's process; waits for it. */
export async function runningPlugin(host: Host): Promise<SeenProcess> {
  return until(`the plugin of ${host.name}`, () => host.pluginProcess());
}

/** Milliseconds since 1970. The kernel counts in hundredths of a second. */
async function startedAt({ start }: SeenProcess): Promise<number> {
  const uptime = Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]);
  return Date.now() - uptime * 1000 + Number(start) * 10;
}

async function residentMiB({ pid }: SeenProcess): Promise<number> {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib) / 1024);
}
