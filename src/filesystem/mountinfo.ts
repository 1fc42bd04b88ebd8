import type { MountEntry } from '../volumes/ports.ts';

/** One line of /proc/<pid>/mountinfo [proc(5), Linux fs/proc_namespace.c show_mountinfo]. */
export interface Mount extends MountEntry {
  readonly id: number;
  readonly parentId: number;
  /** True when the mount passes on, to a peer, what is mounted on it. */
  readonly shared: boolean;
}

/**
 * Reads a whole mountinfo; a line that cannot be read is left out, since a kernel may add kinds of lines and a mount
 * that is missing is noticed by whoever looks for it.
 */
export function parseMountinfo(text: string): Mount[] {
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
}

function parseLine(line: string): Mount | undefined {
  const fields = line.split(' ');
  const [id, parentId, device = '', root = '', mountpoint = '', options = ''] = fields;
  // Any number of optional fields, then a lone dash.
  const dash = fields.indexOf('-', 6);
  const [fsType, source = '', superOptions = ''] = fields.slice(dash + 1);
  if (dash === -1 || fsType === undefined || !/^\d+:\d+$/.test(device)) return undefined;
  return {
    id: Number(id),
    parentId: Number(parentId),
    device,
    root: unescape(root),
    mountpoint: unescape(mountpoint),
    shared: fields.slice(6, dash).some((field) => field.startsWith('shared:')),
    fsType: unescape(fsType),
    source: unescape(source),
    readOnly: hasOption(options, 'ro') || hasOption(superOptions, 'ro'),
  };
}

/** The kernel writes space, tab, newline, backslash (and # in some fields) as three octal digits. */
function unescape(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

function hasOption(options: string, option: string): boolean {
  return options.split(',').includes(option);
}

/**
 * The mount that somebody who walks to the path arrives in: later mounts cover earlier ones, and what is covered stays
 * in mountinfo. Undefined when the path is relative or there is no root in the list.
 */
export function visibleMount<M extends Mount>(mounts: readonly M[], path: string): M | undefined {
  const children = Map.groupBy(mounts, (mount) => mount.parentId);
  const ids = new Set(mounts.map((mount) => mount.id));
  let at = mounts.find(
    (mount) => mount.mountpoint === '/' && (mount.id === mount.parentId || !ids.has(mount.parentId)),
  );
  for (let next = at; next !== undefined; next = firstOnTheWay(children.get(next.id), next, path)) at = next;
  return at !== undefined && isAtOrBelow(path, at.mountpoint) ? at : undefined;
}

/** Of the mounts on this one, the first that the walk meets: the highest up. */
function firstOnTheWay<M extends Mount>(
  children: readonly M[] | undefined,
  on: M,
  path: string,
): M | undefined {
  return children
    ?.filter((child) => child.id !== on.id && isAtOrBelow(path, child.mountpoint))
    .reduce<M | undefined>(
      (highest, child) =>
        highest === undefined || child.mountpoint.length < highest.mountpoint.length ? child : highest,
      undefined,
    );
}

/** True for the directory itself and everything in it; both absolute and without trailing slash. */
export function isAtOrBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}
