import { describe, expect, it } from '@jest/globals';
import { qreadLines } from '../../src/trace/qread.ts';
import { deferred, delivered, failed, letter, letterFrom, started } from '../support/queue-mail.ts';
import { letterLog } from './recorded.ts';

describe("a letter in qmail-qread's list", () => {
  it('has a line of its own, then its recipients, local ones first, those that are done marked', () => {
    const to = ['r@dead.test', 'wait@here.test', 'nosuch@here.test'];
    const events = letterLog(
      letterFrom('s p@y.z', ...to),
      started(to),
      deferred(0, 'r@dead.test', 400),
      deferred(1, 'wait@here.test', 100),
      failed(2, 'nosuch@here.test'),
    );
    expect(qreadLines('m1', events)).toEqual([
      '1 Jan 2026 00:00:00 GMT  #m1  12  <s p@y.z>  bouncing',
      '\tlocal\twait@here.test',
      '  done\tlocal\tnosuch@here.test',
      '\tremote\tr@dead.test',
    ]);
  });
  it('ends its line with a blank while nothing has failed', () => {
    const events = letterLog(
      letter('x@c.test', 'y@c.test'),
      started(['x@c.test', 'y@c.test']),
      delivered(0, 'x@c.test'),
    );
    expect(qreadLines('m1', events)).toEqual([
      '1 Jan 2026 00:00:00 GMT  #m1  12  <joe@here.test> ',
      '  done\tremote\tx@c.test',
      '\tremote\ty@c.test',
    ]);
  });
  it('is as it is routed, prefix included', () => {
    const [accepted, queued] = letter('u@virt.test');
    const route = {
      channel: 'local',
      hop: { host: '' },
      address: 'joe-v-u@virt.test',
      rule: 'v',
    } as const;
    const events = letterLog(accepted!, {
      ...queued!,
      data: { routes: [route], controls: 'c' },
    } as typeof queued & object);
    expect(qreadLines('m1', events)[1]).toBe('\tlocal\tjoe-v-u@virt.test');
  });
  it('shows no byte that a terminal or a script could trip over', () => {
    const [head, line] = qreadLines('m1', letterLog(letterFrom('a\nb@x', 'ü\t@c.test')));
    expect(head).toContain('<a_b@x>');
    expect(line).toBe('\tremote\t___@c.test');
  });
  it('is nothing when its first event is lost', () => {
    expect(qreadLines('m1', letterLog(letter('x@c.test')).slice(1))).toEqual([]);
  });
});
