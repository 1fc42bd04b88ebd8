import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Mount, parseMountinfo, visibleMount } from '../../../src/filesystem/mountinfo.ts';

const line = (fields: Partial<Record<'mountpoint' | 'optional' | 'options' | 'superOptions', string>> = {}) =>
  `36 35 98:0 /mnt1 ${fields.mountpoint ?? '/mnt2'} ${fields.options ?? 'rw,noatime'}${fields.optional ?? ''} - ext3 /dev/root ${fields.superOptions ?? 'rw,errors=continue'}`;

describe('parseMountinfo', () => {
  it('reads the example of proc(5)', () => {
    expect(parseMountinfo(`${line({ optional: ' master:1' })}\n`)).toEqual([
      {
        id: 36,
        parentId: 35,
        device: '98:0',
        root: '/mnt1',
        mountpoint: '/mnt2',
        shared: false,
        fsType: 'ext3',
        source: '/dev/root',
        readOnly: false,
      },
    ]);
  });

  it.each([
    ['', false],
    [' shared:7', true],
    [' master:1 shared:7 propagate_from:2', true],
    [' unbindable', false],
    [' -odd', false],
  ])('reads optional fields %j', (optional, shared) => {
    expect(parseMountinfo(line({ optional }))).toMatchObject([{ shared, fsType: 'ext3' }]);
  });

  it.each([
    [{ options: 'ro,noatime' }, true],
    [{ superOptions: 'ro' }, true],
    [{ superOptions: 'rw,errors=remount-ro' }, false],
  ])('is read-only when mount or superblock is: %j', (fields, readOnly) => {
    expect(parseMountinfo(line(fields))).toMatchObject([{ readOnly }]);
  });

  it('leaves out what it cannot read', () => {
    expect(parseMountinfo(`garbage\n\n${line()}\n36 35`)).toHaveLength(1);
  });

  it('reads back every name that the kernel can have written', () => {
    const name = fc.string({ unit: 'binary', minLength: 1 }).map((text) => `/${text.replaceAll('\0', '')}`);
    fc.assert(
      fc.property(name, name, fc.boolean(), (mountpoint, source, shared) => {
        const text = [
          '1 2 0:30 / ',
          `${kernelEscape(mountpoint)} rw,relatime${shared ? ' shared:3' : ''} - tmpfs ${kernelEscape(source)} rw\n`,
        ].join('');
        expect(parseMountinfo(text)).toMatchObject([{ mountpoint, source, shared }]);
      }),
    );
  });
});

/** As the kernel's mangle() does; other white space than these goes out as it is. */
function kernelEscape(text: string): string {
  return text.replaceAll(
    /[ \t\n\\#]/g,
    (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
}

describe('visibleMount', () => {
  const mount = (id: number, parentId: number, mountpoint: string): Mount => ({
    id,
    parentId,
    mountpoint,
    device: `7:${id}`,
    root: '/',
    fsType: 'ext4',
    source: '/dev/x',
    shared: false,
    readOnly: false,
  });
  const at = (mounts: Mount[], path: string) => visibleMount(mounts, path)?.id;
  const root = mount(1, 0, '/');

  it('is the nearest mount above the path', () => {
    const mounts = [root, mount(2, 1, '/var'), mount(3, 2, '/var/lib')];
    expect(at(mounts, '/var/lib/x')).toBe(3);
    expect(at(mounts, '/var/library')).toBe(2);
    expect(at(mounts, '/etc')).toBe(1);
  });

  it('is the last of those stacked on one place', () => {
    expect(at([root, mount(2, 1, '/a'), mount(3, 2, '/a'), mount(4, 3, '/a')], '/a')).toBe(4);
  });

  it('is not one that a later mount further up covers', () => {
    const mounts = [root, mount(2, 1, '/a/b'), mount(3, 1, '/a')];
    expect(at(mounts, '/a/b')).toBe(3);
  });

  it('is the copy on top where a bind mount of a directory on itself shows everything twice', () => {
    const mounts = [root, mount(2, 1, '/p/m'), mount(3, 1, '/p'), mount(4, 3, '/p/m')];
    expect(at(mounts, '/p/m')).toBe(4);
  });

  it('starts at the root that covers the root', () => {
    expect(at([mount(1, 1, '/'), mount(2, 1, '/'), mount(3, 2, '/a')], '/a/b')).toBe(3);
  });

  it('is none without a root', () => {
    expect(at([mount(2, 1, '/a')], '/a')).toBeUndefined();
  });

  it('agrees with walking the path step by step through a tree that was mounted one after the other', () => {
    const path = fc
      .array(fc.constantFrom('a', 'b', 'c'), { maxLength: 4 })
      .map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(fc.array(path, { maxLength: 12 }), path, (mountpoints, target) => {
        const mounts: Mount[] = [root];
        // A new mount's parent is where its mountpoint is seen at that time.
        for (const mountpoint of mountpoints) {
          mounts.push(mount(mounts.length + 1, walk(mounts, mountpoint), mountpoint));
        }
        expect(at(mounts, target)).toBe(walk(mounts, target));
      }),
    );
  });

  /** What path resolution does: at each step, cross into whatever is mounted there, again and again. */
  function walk(mounts: readonly Mount[], path: string): number {
    const crossed = (from: number, place: string): number => {
      const next = mounts.find((child) => child.parentId === from && child.mountpoint === place);
      return next === undefined ? from : crossed(next.id, place);
    };
    let place = '';
    let current = crossed(1, '/');
    for (const step of path.split('/').filter((part) => part !== '')) {
      place = `${place}/${step}`;
      current = crossed(current, place);
    }
    return current;
  }
});
