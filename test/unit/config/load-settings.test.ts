import { rootCertificates } from 'node:tls';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { FlawedSettingsError, loadSettings, type SettingsFlags } from '../../../src/config/load-settings.ts';
import { ConfigError } from '../../../src/errors.ts';
import { newSecret } from '../../../lab/secrets/used.ts';

const SECRET = newSecret('password');

const REQUIRED = {
  SCALEIO_ENDPOINT: 'https://gw.example.com',
  SCALEIO_USERNAME: 'docker',
  SCALEIO_PASSWORD: SECRET,
};

const readFrom = (files: Readonly<Record<string, string>>) => (path: string) => {
  const content = files[path];
  if (content === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
  return content;
};

const load = (
  env: Readonly<Record<string, string>> = {},
  { flags = {}, files = {} }: { flags?: SettingsFlags; files?: Readonly<Record<string, string>> } = {},
) => loadSettings({ env: { ...REQUIRED, ...env }, flags, readFile: readFrom(files) });

const mistakesOf = (env: Readonly<Record<string, string>>, more?: Parameters<typeof load>[1]): string[] => {
  try {
    load(env, more);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message.split('\n- ').slice(1);
  }
};

describe('settings', () => {
  it('need no more than a gateway, a user and a password', () => {
    const { settings, warnings } = load();
    expect(settings).toMatchObject({
      endpoints: ['https://gw.example.com'],
      username: 'docker',
      insecure: false,
      provisioning: 'thin',
      fs: 'xfs',
      sizeKiB: 16 * 1024 * 1024,
      prefix: 'docker-',
      failover: 'disconnected',
      deviceTimeoutMs: 30_000,
      drvCfg: '/opt/emc/scaleio/sdc/bin/drv_cfg',
      socket: '/run/docker/plugins/scaleio.sock',
      hostMountinfo: '/proc/1/mountinfo',
    });
    expect(settings.password.reveal()).toBe(SECRET);
    expect(settings.pool).toBeUndefined();
    expect(warnings).toEqual([]);
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it('are taken from flags before the environment before the file before the defaults', () => {
    const files = {
      '/etc/s.json': JSON.stringify({
        socket: '/file.sock',
        mountRoot: '/file/mounts',
        maxConcurrent: 3,
        insecure: true,
      }),
    };
    const { settings, origins } = load(
      { SCALEIO_SOCKET: '/env.sock', SCALEIO_MOUNT_ROOT: '/env/mounts' },
      { flags: { socket: '/flag.sock', config: '/etc/s.json' }, files },
    );
    expect(settings).toMatchObject({
      socket: '/flag.sock',
      mountRoot: '/env/mounts',
      maxConcurrent: 3,
      insecure: true,
      fs: 'xfs',
    });
    expect(origins.socket).toEqual({ source: 'flag', name: '--socket' });
    expect(origins.mountRoot).toEqual({ source: 'env', name: 'SCALEIO_MOUNT_ROOT' });
    expect(origins.maxConcurrent).toEqual({ source: 'file', name: '/etc/s.json' });
    expect(origins.fs).toEqual({ source: 'default' });
  });

  it('may name their file in the environment; the flag counts more', () => {
    const files = { '/a.json': '{"pool":"a"}', '/b.json': '{"pool":"b"}' };
    expect(load({ SCALEIO_CONFIG: '/a.json' }, { files }).settings.pool).toBe('a');
    expect(load({ SCALEIO_CONFIG: '/a.json' }, { files, flags: { config: '/b.json' } }).settings.pool).toBe(
      'b',
    );
  });

  it('count as not set when they are empty, as managed plugins have them', () => {
    const { settings } = load(
      { SCALEIO_FS: '', SCALEIO_POOL: ' ', SCALEIO_PREFIX: '', SCALEIO_UNHEARD_OF: '' },
      { flags: { socket: '', config: '/c.json' }, files: { '/c.json': '{"domain":"","guid":null}' } },
    );
    expect(settings).toMatchObject({
      fs: 'xfs',
      prefix: 'docker-',
      socket: '/run/docker/plugins/scaleio.sock',
    });
    expect([settings.pool, settings.domain, settings.guid]).toEqual([undefined, undefined, undefined]);
  });

  it('are read from files that variables name, less the newline at the end', () => {
    const files = { '/run/secrets/pw': ' with spaces \n', '/pool': 'sp1\r\n' };
    const { settings, origins } = load(
      { SCALEIO_PASSWORD: '', SCALEIO_PASSWORD_FILE: '/run/secrets/pw', SCALEIO_POOL_FILE: '/pool' },
      { files },
    );
    expect(settings.password.reveal()).toBe(' with spaces ');
    expect(settings.pool).toBe('sp1');
    expect(origins.password).toEqual({ source: 'env', name: 'SCALEIO_PASSWORD_FILE' });
  });

  it.each([
    ['9470', '127.0.0.1:9470'],
    [':9470', '127.0.0.1:9470'],
    ['10.0.0.5:9470', '10.0.0.5:9470'],
    ['[::1]:9470', '[::1]:9470'],
  ])('take %s as the address %s for metrics', (written, address) => {
    expect(load({ SCALEIO_METRICS_ADDRESS: written }).settings.metricsAddress).toBe(address);
  });

  it.each(['0', 'host', '::1:9470', '127.0.0.1:70000', 'a b:1', 'http://h:1', 'user@h:1'])(
    'refuse %s as an address for metrics',
    (written) => {
      expect(mistakesOf({ SCALEIO_METRICS_ADDRESS: written })).toEqual([
        expect.stringMatching(/^SCALEIO_METRICS_ADDRESS.*is not an address like/),
      ]);
    },
  );

  it('do not mix up a setting that is a file with a file that holds a setting', () => {
    const files = { '/etc/ca.pem': rootCertificates[0] ?? '' };
    expect(load({ SCALEIO_CA_FILE: '/etc/ca.pem' }, { files }).settings.caFile).toBe('/etc/ca.pem');
  });

  it.each([
    ['is not there', {}, 'cannot read file "/etc/ca.pem": ENOENT; put'],
    [
      'holds no certificate',
      { '/etc/ca.pem': 'text' },
      'file "/etc/ca.pem": it holds no whole certificate; put',
    ],
  ])('refuse a CA file that %s, unless no certificate is verified', (_, files, why) => {
    const env = { SCALEIO_CA_FILE: '/etc/ca.pem' };
    expect(mistakesOf(env, { files })).toEqual([expect.stringContaining(`SCALEIO_CA_FILE: ${why}`)]);
    expect(mistakesOf({ ...env, SCALEIO_INSECURE: 'true' }, { files })).toEqual([]);
  });

  it('tell all mistakes at once, also of what does not fit together', () => {
    const env = { SCALEIO_FS: 'ext5', SCALEIO_CA_FILE: '/etc/ca.pem', SCALEIO_PAGE_ADDRESS: '0.0.0.0:80' };
    expect(mistakesOf(env)).toEqual([
      expect.stringContaining('SCALEIO_FS'),
      expect.stringContaining('SCALEIO_PAGE_ADDRESS'),
      expect.stringContaining('SCALEIO_CA_FILE'),
    ]);
  });

  it('read a secret without what editors put around it', () => {
    const files = { '/run/password': `\uFEFF${SECRET}\r\n` };
    const { settings } = load({ SCALEIO_PASSWORD: '', SCALEIO_PASSWORD_FILE: '/run/password' }, { files });
    expect(settings.password.reveal()).toBe(SECRET);
  });

  describe('with mistakes', () => {
    const flawed = (env: Readonly<Record<string, string>>): FlawedSettingsError => {
      try {
        load(env);
      } catch (error) {
        if (error instanceof FlawedSettingsError) return error;
      }
      throw new Error('there is no mistake');
    };

    it('leave what is right to go on with, and defaults for the rest', () => {
      const { local, knowsItsPlaces } = flawed({
        SCALEIO_ENDPOINT: 'nonsense',
        SCALEIO_FS: 'ext5',
        SCALEIO_STATE_DIR: '/srv/state',
        SCALEIO_PREFIX: 'mine-',
      });
      expect(local).toMatchObject({ fs: 'xfs', stateDir: '/srv/state', prefix: 'mine-' });
      expect(local).not.toHaveProperty('endpoints');
      expect(knowsItsPlaces).toBe(true);
    });

    it.each(['SCALEIO_STATE_DIR', 'SCALEIO_MOUNT_ROOT'])('about %s leave nothing to go on with', (name) => {
      expect(flawed({ [name]: 'relative' }).knowsItsPlaces).toBe(false);
    });
  });

  it('show no secret, however they are shown', () => {
    const loaded = load({ SCALEIO_PASSWORD: SECRET });
    expect(JSON.stringify(loaded)).not.toContain(SECRET);
  });

  it('warn of what is most likely not meant', () => {
    const { settings, warnings } = load({
      SCALEIO_INSECURE: 'true',
      SCALEIO_CA_FILE: '/ca.pem',
      SCALEIO_ENDPOINT: 'http://gw',
      SCALEIO_PREFIX: 'none',
    });
    expect(settings.prefix).toBe('');
    expect(warnings.map((warning) => warning.split(/[ :]/)[0])).toEqual([
      'SCALEIO_INSECURE',
      'SCALEIO_CA_FILE',
      'SCALEIO_ENDPOINT',
      'SCALEIO_PREFIX',
    ]);
  });

  it.each([
    ['https://gw', ['https://gw']],
    ['https://gw/api', ['https://gw']],
    ['https://gw/api/', ['https://gw']],
    [
      'https://gw:8443/ , http://10.0.0.1:80,,https://gw/api',
      ['https://gw:8443', 'http://10.0.0.1', 'https://gw'],
    ],
    ['https://gw,https://gw/api', ['https://gw']],
    ['https://[fd00::1]:443', ['https://[fd00::1]']],
  ])('take the endpoint %s', (SCALEIO_ENDPOINT, endpoints) => {
    expect(load({ SCALEIO_ENDPOINT }).settings.endpoints).toEqual(endpoints);
  });
});

describe('wrong settings', () => {
  it('are all told at once, with their names', () => {
    const env = {
      SCALEIO_ENDPOINT: 'gw',
      SCALEIO_USERNAME: '',
      SCALEIO_PASSWORD_FILE: '/missing',
      SCALEIO_PASSWORD: '',
      SCALEIO_SIZE: '0',
      SCALEIO_FSTYPE: 'xfs',
      REXRAY_PREEMPT: 'perhaps',
    };
    const mistakes = mistakesOf(env, {
      flags: { socket: 'here', config: '/c.json' },
      files: { '/c.json': '{"pol":"x"}' },
    });
    expect(mistakes).toEqual([
      'settings file "/c.json": unknown setting "pol"; did you mean pool?',
      'unknown setting "SCALEIO_FSTYPE"; did you mean SCALEIO_FS?',
      'SCALEIO_PASSWORD: cannot read file "/missing": ENOENT',
      'REXRAY_PREEMPT: "perhaps" is neither true nor false',
      'SCALEIO_ENDPOINT: "gw" is not a URL like https://gateway.example.com',
      expect.stringMatching(/^SCALEIO_USERNAME is not set: /),
      expect.stringMatching(/^SCALEIO_SIZE: "0" is not more than zero/),
      '--socket: "here" is not an absolute path',
    ]);
  });

  it.each([
    ['SCALEIO_ENDPOINT', 'https://gw/rest'],
    ['SCALEIO_ENDPOINT', 'ftp://gw'],
    ['SCALEIO_ENDPOINT', 'https://gw?x=1'],
    ['SCALEIO_ENDPOINT', ','],
    ['SCALEIO_INSECURE', 'maybe'],
    ['SCALEIO_FS', 'ext3'],
    ['SCALEIO_PROVISIONING', 'fat'],
    ['SCALEIO_SIZE', '16 bananas'],
    ['SCALEIO_SIZE', '2PiB'],
    ['SCALEIO_PREFIX', 'much-too-long-'],
    ['SCALEIO_PREFIX', '-x'],
    ['SCALEIO_PREFIX', 'a~b'],
    ['SCALEIO_PREFIX', '..'],
    ['SCALEIO_GUID', '271BAD82'],
    ['SCALEIO_DRV_CFG', 'drv_cfg'],
    ['SCALEIO_DEVICE_TIMEOUT', '30'],
    ['SCALEIO_DEVICE_TIMEOUT', '2m'],
    ['SCALEIO_FAILOVER', 'sometimes'],
    ['SCALEIO_MOVE_LIMIT', '0'],
    ['SCALEIO_MAX_CONCURRENT', '1.5'],
    ['SCALEIO_MAX_CONCURRENT', '0x10'],
    ['SCALEIO_SUBPATH', 'a/../../b'],
    ['SCALEIO_MODE', '0999'],
    ['SCALEIO_LOG_LEVEL', 'loud'],
    ['SCALEIO_CA_FILE', 'ca.pem'],
  ])('%s=%s is refused, and nothing else', (name, value) => {
    const mistakes = mistakesOf({ [name]: value });
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(new RegExp(`^${name}: `));
  });

  it('never repeat a password', () => {
    const secrets = [
      { SCALEIO_ENDPOINT: `https://docker:${SECRET}@gw` },
      { SCALEIO_FS: 'ext3', SCALEIO_PASSWORD: SECRET },
      { SCALEIO_CONFIG: '/c.json' },
    ];
    for (const env of secrets) {
      const mistakes = mistakesOf(env, { files: { '/c.json': `{"password":"${SECRET}",` } });
      expect(mistakes).toHaveLength(1);
      expect(mistakes[0]).not.toContain(SECRET);
    }
  });

  it.each([
    ['[]', 'is not a JSON object'],
    ['{', 'is not JSON'],
    ['{"endpoints":7}', 'must be a URL or a list of them'],
    ['{"insecure":7}', 'has the wrong type'],
    ['{"maxConcurrent":1.5}', 'whole number'],
    ['{"fs":7}', 'must be a string'],
  ])('in a file are told with the file: %s', (content, why) => {
    const mistakes = mistakesOf(
      { SCALEIO_ENDPOINT: '' },
      { flags: { config: '/c.json' }, files: { '/c.json': content } },
    );
    expect(mistakes.find((mistake) => mistake.startsWith('settings file "/c.json"'))).toContain(why);
  });

  it('in a file that is not there are told', () => {
    expect(mistakesOf({ SCALEIO_CONFIG: '/nope.json' })).toEqual([
      'settings file "/nope.json" cannot be read: ENOENT',
    ]);
  });

  it('refuse a password that is given twice', () => {
    expect(mistakesOf({ SCALEIO_PASSWORD_FILE: '/pw' }, { files: { '/pw': 'x' } })).toEqual([
      'SCALEIO_PASSWORD and SCALEIO_PASSWORD_FILE are both set; unset one',
    ]);
  });

  it('are told, whatever they are, as one ConfigError', () => {
    const names = [
      'SIZE',
      'FS',
      'PREFIX',
      'GUID',
      'MODE',
      'ENDPOINT',
      'DEVICE_TIMEOUT',
      'MAX_CONCURRENT',
      'SUBPATH',
      'SOCKET',
    ];
    const env = fc.dictionary(
      fc.constantFrom(...names).map((name) => `SCALEIO_${name}`),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(env, (some) => {
        for (const mistake of mistakesOf(some)) expect(mistake).toMatch(/^SCALEIO_\w+/);
      }),
    );
  });
});

describe("REX-Ray's settings", () => {
  it('are understood', () => {
    const { settings } = load({
      SCALEIO_ENDPOINT: 'https://gw/api',
      SCALEIO_SYSTEMID: '2f4e',
      SCALEIO_SYSTEMNAME: 'ignored, as the id counts more',
      SCALEIO_PROTECTIONDOMAINNAME: 'pd1',
      SCALEIO_STORAGEPOOLNAME: 'sp1',
      SCALEIO_THINORTHICK: 'ThickProvisioned',
      SCALEIO_GUID: '271bad82-08ee-44f2-a2b1-7e2787c27be1',
      REXRAY_FSTYPE: 'ext4',
      REXRAY_LOGLEVEL: 'warning',
      LINUX_VOLUME_ROOTPATH: '/data',
      LINUX_VOLUME_FILEMODE: '0700',
    });
    expect(settings).toMatchObject({
      endpoints: ['https://gw'],
      system: '2f4e',
      domain: 'pd1',
      pool: 'sp1',
      provisioning: 'thick',
      guid: '271BAD82-08EE-44F2-A2B1-7E2787C27BE1',
      fs: 'ext4',
      logLevel: 'warn',
      subpath: 'data',
      mode: 0o700,
    });
  });

  it('give way to ours', () => {
    const { settings, origins } = load({ REXRAY_FSTYPE: 'ext4', SCALEIO_FS: 'btrfs' });
    expect(settings.fs).toBe('btrfs');
    expect(origins.fs).toEqual({ source: 'env', name: 'SCALEIO_FS' });
  });

  it.each([
    ['true', 'disconnected'],
    ['false', 'never'],
  ])('never become a blind take-over: REXRAY_PREEMPT=%s is %s', (REXRAY_PREEMPT, failover) => {
    const { settings, warnings } = load({ REXRAY_PREEMPT });
    expect(settings.failover).toBe(failover);
    expect(warnings).toEqual([
      'REXRAY_PREEMPT true means SCALEIO_FAILOVER=disconnected here (volumes of hosts that have lost the array, not of any host), ' +
        'false means SCALEIO_FAILOVER=never: no volume is taken from a dead host either',
    ]);
  });

  it('that mean nothing here are named at start and do no harm', () => {
    const env = {
      SCALEIO_VERSION: '2.0',
      SCALEIO_USECERTS: 'false',
      DOCKER_LEGACY: 'true',
      X_CSI_NATIVE: 'false',
      HTTP_PROXY: 'http://proxy',
      REXRAY_DEBUG: 'true',
      LIBSTORAGE_HOST: 'x',
      PATH: '/bin',
      HOME: '/',
    };
    expect(load(env).warnings.map((warning) => warning.split(' ')[0])).toEqual(Object.keys(env).slice(0, 7));
  });
});

describe('the mount root', () => {
  /** A disk on which /data is there, /link leads to it and /file is no directory. */
  const realPath = (directory: string): string => {
    if (directory.startsWith('/file/'))
      throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
    if (!['/', '/data', '/link', '/file'].includes(directory))
      throw Object.assign(new Error('nothing there'), { code: 'ENOENT' });
    return directory === '/link' ? '/data' : directory;
  };
  const mistakes = (mountRoot: string, looks = true): string[] => {
    try {
      const env = { ...REQUIRED, SCALEIO_MOUNT_ROOT: mountRoot };
      loadSettings({ env, readFile: readFrom({}), ...(looks ? { realPath } : {}) });
      return [];
    } catch (error) {
      if (!(error instanceof FlawedSettingsError)) throw error;
      expect(error.local.mountRoot).toBe(mountRoot);
      expect(error.knowsItsPlaces).toBe(true);
      return [...error.problems];
    }
  };

  it.each(['/data', '/data/', '/data/volumes/not/yet/there', '/nowhere'])('may be %s', (mountRoot) => {
    expect(mistakes(mountRoot)).toEqual([]);
  });

  it.each([
    ['/link', '/data'],
    ['/link/volumes/of/docker', '/data/volumes/of/docker'],
  ])('is not %s, reached through a symbolic link: what to write is said', (mountRoot, real) => {
    expect(mistakes(mountRoot)).toEqual([
      expect.stringMatching(
        `^SCALEIO_MOUNT_ROOT: ".+" is reached through a symbolic link, but the kernel shows mounts by their real path; write "${real}"$`,
      ),
    ]);
  });

  it('is not below a file', () => {
    expect(mistakes('/file/volumes')).toEqual([
      'SCALEIO_MOUNT_ROOT: "/file/volumes" cannot be made: not a directory; choose another directory',
    ]);
  });

  it('is not looked at by who mounts nothing here', () => {
    expect(mistakes('/link', false)).toEqual([]);
  });
});

describe("the steward's page", () => {
  const token = newSecret('token of the page');

  it('is on the loopback, without a token, unless told otherwise', () => {
    expect(load().settings.pageAddress).toBe('127.0.0.1:9480');
    expect(load().settings.pageToken).toBeUndefined();
    expect(load({ SCALEIO_PAGE_ADDRESS: 'off' }).settings.pageAddress).toBeUndefined();
    for (const SCALEIO_PAGE_ADDRESS of [':9999', 'localhost:9480', '[::1]:9480', '127.0.0.2:9480'])
      expect(mistakesOf({ SCALEIO_PAGE_ADDRESS })).toEqual([]);
  });

  it.each([
    '0.0.0.0:9480',
    '[::]:9480',
    '10.0.0.1:9480',
    'host.example.com:9480',
    '127.0.0.1.example.com:9480',
  ])('needs a token on %s', (SCALEIO_PAGE_ADDRESS) => {
    expect(mistakesOf({ SCALEIO_PAGE_ADDRESS })).toEqual([
      expect.stringContaining('set SCALEIO_PAGE_TOKEN_FILE too'),
    ]);
    const files = { '/token': `${token}\n` };
    const { settings } = load({ SCALEIO_PAGE_ADDRESS, SCALEIO_PAGE_TOKEN_FILE: '/token' }, { files });
    expect(settings.pageToken?.reveal()).toBe(token);
  });

  it.each([
    ['short', token.slice(0, 15)],
    ['odd', `${token} and more`],
  ])('takes no token that is %s, and does not show it', (_, bad) => {
    const [mistake = '', ...others] = mistakesOf({ SCALEIO_PAGE_TOKEN: bad });
    expect(others).toEqual([]);
    expect(mistake).toContain('16 or more');
    expect(mistake).not.toContain(bad);
  });
});

describe("the steward's API", () => {
  const tokens = { SCALEIO_API_TOKENS_FILE: '/etc/scaleio/tokens.yml' };

  it('is off without a file of tokens, wherever it would be', () => {
    expect(load().settings.apiTokensFile).toBeUndefined();
    expect(mistakesOf({ SCALEIO_API_ADDRESS: '0.0.0.0:9481' })).toEqual([]);
  });

  it('is on the loopback, without TLS, unless told otherwise', () => {
    expect(load(tokens).settings).toMatchObject({
      apiTokensFile: '/etc/scaleio/tokens.yml',
      apiAddress: '127.0.0.1:9481',
      apiWithoutTls: false,
    });
    for (const SCALEIO_API_ADDRESS of [':9999', 'localhost:9481', '[::1]:9481', '127.0.0.2:9481'])
      expect(mistakesOf({ ...tokens, SCALEIO_API_ADDRESS })).toEqual([]);
  });

  it.each(['0.0.0.0:9481', '[::]:9481', '10.0.0.1:9481', '127.0.0.1.example.com:9481'])(
    'needs TLS on %s, or to be told in so many words',
    (SCALEIO_API_ADDRESS) => {
      const env = { ...tokens, SCALEIO_API_ADDRESS };
      expect(mistakesOf(env)).toEqual([expect.stringContaining('SCALEIO_API_WITHOUT_TLS=true')]);
      expect(mistakesOf({ ...env, SCALEIO_API_WITHOUT_TLS: 'true' })).toEqual([]);
      const pem = { SCALEIO_API_CERT_FILE: '/cert.pem', SCALEIO_API_KEY_FILE: '/key.pem' };
      expect(mistakesOf({ ...env, ...pem })).toEqual([]);
      expect(mistakesOf({ ...env, SCALEIO_API_CERT_FILE: '/cert.pem' })).toEqual([
        expect.stringContaining('belong together'),
      ]);
    },
  );
});
