import { BUSYBOX } from '../../lab/hosts/image.ts';

/** What a user types, what the engine asks the driver for it, and what comes out. */
export interface Step {
  readonly line: string;
  /**
   * Separated by commas. "Get db!" failed, which is how a driver says that there is no such volume; Mount IDs are
   * counted through the sequence.
   */
  readonly calls: string;
  readonly fails?: RegExp;
  readonly prints?: RegExp;
}

/** The image that has a directory with content and an owner of its own. */
export const seeded = 'seeded';

const create = 'docker volume create -d scaleio';
const run = 'docker run --rm --volume-driver scaleio';
const sleeper = `${BUSYBOX} sleep 600`;

/** The engine's sequences, by what users do. [moby create.go, start.go, store.go; seen with dockerd 20.10] */
export const sequences: Readonly<Record<string, readonly Step[]>> = {
  'creating, listing, inspecting, removing': [
    { line: `${create} -o size=8GiB db`, calls: 'Get db!, Create db' },
    { line: `${create} db`, calls: 'Get db' },
    { line: 'docker volume inspect db', calls: 'Get db', prints: /"pool": "sp1"/ },
    { line: 'docker volume ls --quiet', calls: 'List', prints: /^db$/ },
    { line: 'docker volume rm db', calls: 'Get db, Get db, Remove db' },
    { line: 'docker volume rm db', calls: 'Get db!', fails: /no such volume/i },
    { line: 'docker volume rm --force db', calls: 'Get db!' },
    { line: `${create} -o sizes=8GiB db`, calls: 'Get db!, Create db!', fails: /did you mean "size"/ },
  ],
  'a container with a new volume, and another with the same': [
    {
      line: `${run} -v work:/data ${BUSYBOX} touch /data/a`,
      calls: 'Get work!, Create work, Get work, Mount work 1, Get work, Unmount work 1',
    },
    {
      line: `docker run --rm -v work:/data ${BUSYBOX} ls -A /data`,
      calls: 'Get work, Get work, Mount work 2, Get work, Unmount work 2',
      prints: /^a$/,
    },
    { line: 'docker volume rm work', calls: 'Get work, Get work, Remove work' },
  ],
  'options of --mount': [
    {
      line: `docker run --rm --mount src=opt,dst=/data,volume-driver=scaleio,volume-opt=fs=ext4 ${BUSYBOX} grep /data /proc/mounts`,
      calls: 'Get opt!, Create opt, Get opt, Mount opt 1, Get opt, Unmount opt 1',
      prints: / ext4 /,
    },
    { line: 'docker volume rm opt', calls: 'Get opt, Get opt, Remove opt' },
  ],
  'an anonymous volume lives as long as its container': [
    {
      line: `${run} -v /data ${BUSYBOX} true`,
      calls: 'Get *!, Create *, Get *, Mount * 1, Get *, Unmount * 1, Get *, Get *, Remove *',
    },
  ],
  'content of the image goes into a new volume, once': [
    {
      line: `docker create --name site --volume-driver scaleio -v site:/srv/site ${seeded} cat /srv/site/page`,
      calls: 'Get site!, Create site, Get site, Mount site 1, Get site, Unmount site 1',
    },
    {
      line: 'docker start --attach site',
      calls: 'Get site, Mount site 2, Get site, Unmount site 2',
      prints: /^welcome$/,
    },
    {
      line: `docker run --rm -v site:/d ${BUSYBOX} sh -c 'ls -A /d; stat -c %u:%g:%a /d; echo changed >/d/page'`,
      calls: 'Get site, Get site, Mount site 3, Get site, Unmount site 3',
      prints: /^page\n7:8:750$/,
    },
    {
      line: `docker run --rm -v site:/srv/site ${seeded} cat /srv/site/page`,
      calls:
        'Get site, Get site, Mount site 4, Get site, Unmount site 4, Get site, Mount site 5, Get site, Unmount site 5',
      prints: /^changed$/,
    },
    { line: 'docker rm site', calls: '' },
    { line: 'docker volume rm site', calls: 'Get site, Get site, Remove site' },
  ],
  'nocopy leaves a new volume empty': [
    {
      line: `${run} -v bare:/srv/site:nocopy ${seeded} ls -A /srv/site`,
      calls: 'Get bare!, Create bare, Get bare, Mount bare 1, Get bare, Unmount bare 1',
      prints: /^$/,
    },
    { line: 'docker volume rm bare', calls: 'Get bare, Get bare, Remove bare' },
  ],
  'starting, restarting, stopping, removing by force': [
    {
      line: `docker run -d --name app --volume-driver scaleio -v app:/data ${sleeper}`,
      calls: 'Get app!, Create app, Get app, Mount app 1',
    },
    { line: 'docker restart -t 0 app', calls: 'Get app, Unmount app 1, Get app, Mount app 2' },
    { line: 'docker volume rm app', calls: 'Get app', fails: /in use/ },
    { line: 'docker stop -t 0 app', calls: 'Get app, Unmount app 2' },
    { line: 'docker start app', calls: 'Get app, Mount app 3' },
    { line: 'docker exec app true', calls: '' },
    { line: 'docker system df', calls: '' },
    { line: 'docker volume prune --force', calls: '' },
    { line: 'docker rm --force app', calls: 'Get app, Unmount app 3' },
    { line: 'docker volume rm app', calls: 'Get app, Get app, Remove app' },
  ],
  'copying into and out of a stopped container': [
    {
      line: `docker create --name still --volume-driver scaleio -v still:/data ${sleeper}`,
      calls: 'Get still!, Create still',
    },
    {
      line: 'docker cp /etc/hostname still:/data/name',
      calls:
        'Get still, Mount still 1, Get still, Unmount still 1, Get still, Mount still 2, Get still, Unmount still 2',
    },
    {
      line: 'docker cp still:/data/name - | tar --extract --to-stdout | wc --lines',
      calls: 'Get still, Mount still 3, Get still, Unmount still 3',
      prints: /^1$/,
    },
    { line: 'docker rm still', calls: '' },
    { line: 'docker volume rm still', calls: 'Get still, Get still, Remove still' },
  ],
};
