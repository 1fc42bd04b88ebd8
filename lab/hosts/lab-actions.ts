import { nearest } from '../../src/units/nearest.ts';
import type { Host } from './host.ts';
import type { Lab } from './lab.ts';

/** Something that life does to a host. */
interface LabAction {
  readonly what: string;
  /** What else it needs to be possible: a host that is off can only be booted. */
  readonly on: 'on' | 'off' | 'either';
  act(host: Host, lab: Lab): Promise<void>;
}

/** What can be done to a host of a lab, by the word that one types. */
const ACTIONS: Readonly<Record<string, LabAction>> = {
  'power-off': {
    what: 'a power cut: nothing is said to anybody, what was not synced is lost',
    on: 'either',
    act: (host) => host.powerOff(),
  },
  boot: { what: 'power again; the host rejoins the Swarm by itself', on: 'off', act: (host) => host.boot() },
  reboot: { what: 'power cut and boot', on: 'on', act: (host) => host.reboot() },
  freeze: {
    what: 'every process stops where it stands (a hung machine)',
    on: 'on',
    act: (host) => host.freeze(),
  },
  thaw: { what: 'they go on', on: 'on', act: (host) => host.thaw() },
  'kill-dockerd': { what: 'SIGKILL to the engine alone', on: 'on', act: (host) => host.killDockerd() },
  'start-dockerd': { what: 'the engine starts again', on: 'on', act: (host) => host.startDockerd() },
  'kill-plugin': {
    what: 'SIGKILL to the volume plugin alone; the engine starts it anew',
    on: 'on',
    act: async (host) => {
      await host.killPlugin();
    },
  },
  'cut-cluster': {
    what: 'no Docker traffic any more; the array is still there and containers go on writing',
    on: 'on',
    act: (host) => host.cutNetwork('cluster'),
  },
  'restore-cluster': { what: 'the cable is back', on: 'on', act: (host) => host.restoreNetwork('cluster') },
  'cut-storage': {
    what: 'no array any more, neither gateway nor data; the Swarm notices nothing',
    on: 'on',
    act: (host) => host.cutNetwork('storage'),
  },
  'restore-storage': { what: 'the cable is back', on: 'on', act: (host) => host.restoreNetwork('storage') },
  drain: { what: 'the Swarm moves every task away', on: 'either', act: (host, lab) => lab.drain(host) },
  activate: { what: 'tasks may come again', on: 'either', act: (host, lab) => lab.drain(host, 'active') },
};

/** The words with what they do, a line each. */
export function actionList(): string {
  return Object.entries(ACTIONS)
    .map(([word, { what }]) => `  ${word.padEnd(16)} ${what}\n`)
    .join('');
}

/** Does it. Throws with the nearest known word, or with what must be done before. */
export async function actOn(lab: Lab, host: Host, word: string): Promise<void> {
  const action = ACTIONS[word];
  if (action === undefined) {
    const near = nearest(word, Object.keys(ACTIONS));
    const hint = near === undefined ? '' : `; did you mean "${near}"?`;
    throw new Error(`"${word}" is nothing that can be done to a host${hint}\n${actionList()}`);
  }
  if (action.on === 'on' && !host.isOn) throw new Error(`${host.name} is off: boot it first`);
  if (action.on === 'off' && host.isOn) throw new Error(`${host.name} is on already`);
  if (word !== 'thaw' && word !== 'power-off' && (await host.isFrozen())) {
    throw new Error(`${host.name} is frozen: thaw it or power it off first`);
  }
  await action.act(host, lab);
}

/** The host that a person means with "2" or "host2". */
export function hostNamed(lab: Lab, wanted: string): Host {
  const found = lab.hosts.find(({ name, number }) => wanted === name || wanted === `${number}`);
  if (found !== undefined) return found;
  throw new Error(`there is no host "${wanted}": there are ${lab.hosts.map(({ name }) => name).join(', ')}`);
}
