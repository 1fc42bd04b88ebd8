import { describe, expect, it } from 'vitest';
import { newSecret } from '../../../../lab/secrets/used.ts';
import { Access, isLoopback } from '../../../../src/steward/page/access.ts';

const TOKEN = newSecret('token of the page');
const nothing = {
  host: '127.0.0.1:9480',
  authorization: undefined,
  cookie: undefined,
  fetchSite: undefined,
  fetchMode: undefined,
};
const open = new Access(undefined);
const closed = new Access(TOKEN);

describe('without a token', () => {
  it.each(['127.0.0.1:9480', 'localhost', 'localhost:8080', '[::1]:9480', '127.1.2.3'])(
    'who asks %s is welcome',
    (host) => {
      expect(isLoopback(host)).toBe(true);
      expect(open.judge({ ...nothing, host })).toBe('welcome');
    },
  );

  it.each([
    ...['evil.example.com', '127.0.0.1.evil.example.com:9480', 'localhost.evil.example.com', '10.0.0.1'],
    ...['evil.example.com@127.0.0.1.', '', undefined],
  ])('who asks %s is not: its name may lead anywhere', (host) => {
    expect(open.judge({ ...nothing, host })).toBe('foreign');
  });

  it('the scripts of another site are not, but whoever follows its link is', () => {
    expect(open.judge({ ...nothing, fetchSite: 'cross-site', fetchMode: 'no-cors' })).toBe('foreign');
    expect(open.judge({ ...nothing, fetchSite: 'same-site', fetchMode: 'cors' })).toBe('foreign');
    expect(open.judge({ ...nothing, fetchSite: 'cross-site', fetchMode: 'navigate' })).toBe('welcome');
    expect(open.judge({ ...nothing, fetchSite: 'same-origin', fetchMode: 'cors' })).toBe('welcome');
  });

  it('no token is the right one', () => {
    expect([open.isToken(''), open.isToken('undefined')]).toEqual([false, false]);
  });
});

describe('with a token', () => {
  const bearer = (token: string) =>
    closed.judge({ ...nothing, host: 'any', authorization: `Bearer ${token}` });

  it('only who sends it is welcome, under whatever name', () => {
    expect(bearer(TOKEN)).toBe('welcome');
    expect([bearer(`${TOKEN}x`), bearer(TOKEN.slice(1)), closed.judge(nothing)]).toEqual(
      Array<string>(3).fill('unknown'),
    );
  });

  it('a cookie does in its place, which does not hold it, and which another token makes worthless', () => {
    const [cookie = ''] = closed.cookie().split(';');
    expect(closed.cookie()).toMatch(/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(TOKEN);
    expect(closed.judge({ ...nothing, cookie: `other=1; ${cookie}` })).toBe('welcome');
    expect(closed.judge({ ...nothing, cookie: `${cookie}0` })).toBe('unknown');
    expect(new Access(`${TOKEN}2`).judge({ ...nothing, cookie })).toBe('unknown');
    expect(closed.judge({ ...nothing, cookie, fetchSite: 'same-site', fetchMode: 'cors' })).toBe('foreign');
  });
});
