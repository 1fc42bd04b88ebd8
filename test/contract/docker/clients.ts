/** Headers as the engines send them; none sends what the others send. [moby, podman volume_api.go, dvdcli] */
export const CLIENTS: readonly (readonly [string, Record<string, string>])[] = [
  [
    'docker 20.10',
    { Host: '', 'User-Agent': 'Go-http-client/1.1', Accept: 'application/vnd.docker.plugins.v1.2+json' },
  ],
  [
    'docker 28',
    {
      Host: 'plugin.moby.localhost',
      'User-Agent': 'Go-http-client/1.1',
      Accept: 'application/vnd.docker.plugins.v1.2+json',
    },
  ],
  [
    'podman',
    {
      Host: 'plugin',
      'User-Agent': 'Go-http-client/1.1',
      'Content-Type': 'application/vnd.docker.plugins.v1.1+json',
    },
  ],
  ['dvdcli', { Host: '', Accept: 'application/vnd.docker.plugins.v1.2+json' }],
  ['curl', { Host: 'x', Accept: '*/*', 'Content-Type': 'application/x-www-form-urlencoded' }],
  ['a broken content type', { Host: 'x', 'Content-Type': ';;=' }],
];
