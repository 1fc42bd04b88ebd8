import { readFile } from 'node:fs/promises';
import { arch, cpus, loadavg, release, totalmem } from 'node:os';
import type { Finding } from './budgets.ts';
import type { Results } from './measure.ts';
import {
  budgetTable,
  burstTable,
  operationTables,
  parallelTable,
  processTable,
  servicesTable,
  takeoverTable,
} from './report.ts';

/** The machine as somebody needs to know it who compares numbers. */
export async function describeMachine(): Promise<string> {
  const cores = cpus();
  const memoryGiB = Math.round(totalmem() / 2 ** 30);
  const system = /^PRETTY_NAME="(.*)"$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? 'Linux';
  const load = loadavg()[0]?.toFixed(1) ?? '?';
  return `${cores.length} × ${cores[0]?.model.trim() ?? 'CPU'} (${arch()}), ${memoryGiB} GiB, ${system}, kernel ${release()}, Node ${process.version}; load when it began: ${load}`;
}

/** docs/benchmark.md. */
export function page(results: Results, findings: readonly Finding[], machine: string): string {
  return `# Benchmark

How many gateway calls each operation takes and how long it takes, beside the least that the work can take (its floor). This page is written by
\`make bench\`, which takes some minutes, needs root, and fails when a budget of the design is broken.

${budgetTable(findings)}

![Time of each operation beside its floor](benchmark.svg)

## Each operation

Each cell has, in milliseconds: **p50 / p95 · p50 of the floor · ratio of the p50s**. "calls" is the most gateway calls that any one of them
took, and how many the design allows.

${operationTables(results)}

## A takeover

The array has just lost a volume's host; the time is from the arrival of a Mount elsewhere to its answer, in milliseconds. Failover as a whole
takes longer: see docs/failover.md, "How long it takes".

${takeoverTable(results)}

## Snapshots, clones, growth, limits, a way back

Through the operator's door and Create, of one volume that is mounted where that matters: milliseconds, **p50 / p95**, and the most calls.

${servicesTable(results)}

## Many at once

Calls for different volumes, all at the same moment, with 10,000 volumes on the array: how many are answered per second, and the milliseconds
that each takes.

${parallelTable(results)}

## An engine that starts

An engine that starts asks about every volume it knows, all at once.

${burstTable(results)}

## The process

${processTable(results)}

## How this is measured

- The plugin is the bundled program in a process of its own under the pinned Node, with the flags and the code cache
  that an installed plugin has. It is asked over its unix socket with kept-alive connections. Its state is on the disk of
  /tmp; every change of its journal is fsynced there.
- The array is the simulated one (\`simulate\`, version 3.6) with two SDCs (\`simulate-sdc\`), whose devices are loop devices over sparse
  files and appear without added delay. Nearly everything happens on the first SDC. Volumes are 16 GiB, thin, xfs, without options; those that
  fill the array have no data. All of them have the plugin's prefix, so List answers with all of them.
- The simulated gateway counts its calls by operation: each bears the id of the plugin's call that it serves (\`X-Request-Id\`), and the answer
  to that call bears the same id. What the plugin asks on its own behalf (rounds of the reconciler, the shared lists of pools and protection
  domains, log-ins) counts for no operation; a call that belongs to nothing breaks a budget.
- No budget is in milliseconds, because those depend on the machine. Each time is compared with a floor: the work that cannot be left out,
  done by hand from another Node process right before or right after each measurement, in turns. The budget is for the median
  of the ratios of these pairs, over all cases without delay.
- The floor of an operation is: the same requests in the same order over kept-alive connections with a token at hand, the same wait for the
  device's link, the same programs with the same arguments, and the fewest records on disk that a crash allows, written as the plugin writes
  its journal (fsync, rename, fsync of the directory).
  - Create: the six requests, blockdev, blkid, wipefs, mkfs.xfs, two remounts that make the mountpoints, mount, setfattr,
    umount; a record before the volume is asked for, and one when it is done.
  - Mount: read and map the volume, blkid, mount, getfattr (the label says whose it is); a record before the mapping is asked for, and one of
    the holder. Unmount: umount, unmap; one record.
  - Mount from a dead host: the same six requests, then as Mount, with the file system's replay.
  - List: its request, and the answer read as JSON, because without that there is no list. Get and Remove: their requests.
  - Start: a bare HTTP server on a unix socket in the same Node with the same flags, asked in the same way.
  - Not in any floor: identity of the device before and after each step, proof that a volume is blank, checks of what the kernel shows,
    locks, log, the protocol itself.
- Mountpoints are in a tmpfs that is read-only but for the moment in which one is made. The plugin makes them in Create, and
  after a Get, ahead of the first Mount; so does the floor.
- A takeover: the plugin on one host has the volume and has written and synced; its SDC falls silent; the plugin on the
  other host is asked to mount. Then the same in the other direction. The floor does by hand what happens to the same volume, with the same
  six requests.
- Get and Path of a mounted volume have no floor: they ask nobody.
- A life of a volume (Create … Remove) is measured up to 15 times per case, List up to 5 times. On a busy machine all times grow,
  but the ratios hardly do; the limits leave room for the rest.
- 10,000 operations are rounds of Mount by another user, Get, Path and Unmount by that user, of one mounted volume, 8 at
  a time. Starts are medians of 15.

Machine: ${machine}.
`;
}
