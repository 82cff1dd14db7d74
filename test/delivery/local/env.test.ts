import { describe, expect, it } from '@jest/globals';
import {
  environment,
  fromLine,
  returnPathLine,
  type Facts,
} from '../../../src/delivery/local/env.ts';
import { then } from './story.ts';

const facts: Facts = {
  user: 'joe',
  home: '/home/joe',
  local: 'joe-a-b-c',
  domain: 'h.x.y.z',
  ext: 'a-b-c',
  sender: 's@q.r',
  newSender: 's@q.r',
  at: then,
};

describe('the environment of a program', () => {
  it('tells about the letter as qmail-local does', () => {
    expect(environment(facts, { PATH: '/bin' })).toEqual({
      PATH: '/bin',
      USER: 'joe',
      HOME: '/home/joe',
      LOCAL: 'joe-a-b-c',
      HOST: 'h.x.y.z',
      RECIPIENT: 'joe-a-b-c@h.x.y.z',
      SENDER: 's@q.r',
      NEWSENDER: 's@q.r',
      EXT: 'a-b-c',
      EXT2: 'b-c',
      EXT3: 'c',
      EXT4: '',
      HOST2: 'h.x.y',
      HOST3: 'h.x',
      HOST4: 'h',
      DTLINE: 'Delivered-To: joe-a-b-c@h.x.y.z\n',
      RPLINE: 'Return-Path: <s@q.r>\n',
      UFLINE: 'From s@q.r Fri Nov 20 23:49:09 2026\n',
    });
  });

  it.each([
    ['a.b', 'a', 'a', 'a'],
    ['h', 'h', 'h', 'h'],
    ['', '', '', ''],
  ])('shortens the host %p to %p, %p, %p', (domain, HOST2, HOST3, HOST4) => {
    expect(environment({ ...facts, domain }, {})).toMatchObject({ HOST2, HOST3, HOST4 });
  });

  it('has DEFAULT when a default file matched, an empty one included, and never a stale one', () => {
    expect(environment({ ...facts, rest: '' }, { DEFAULT: 'stale' })).toHaveProperty('DEFAULT', '');
    expect(environment({ ...facts, rest: 'b-c' }, {})).toHaveProperty('DEFAULT', 'b-c');
    expect(environment(facts, { DEFAULT: 'stale' })).not.toHaveProperty('DEFAULT');
  });

  it('keeps header lines one line each', () => {
    const env = environment({ ...facts, local: 'a\nb', sender: 'x\ny@z' }, {});
    expect(env['DTLINE']).toBe('Delivered-To: a_b@h.x.y.z\n');
    expect(env['RPLINE']?.indexOf('\n')).toBe((env['RPLINE']?.length ?? 0) - 1);
    expect(env['UFLINE']).toBe('From x-y@z Fri Nov 20 23:49:09 2026\n');
  });

  it('ends each value at a NUL, which the system would refuse', () => {
    expect(environment({ ...facts, local: 'a\0b' }, {})).toMatchObject({ LOCAL: 'a' });
  });
});

describe('the lines before a letter', () => {
  it.each([
    ['s@q.r', 'Return-Path: <s@q.r>\n'],
    ['', 'Return-Path: <>\n'],
    ['#@[]', 'Return-Path: <#@[]>\n'],
    ['s p\tx@y', 'Return-Path: <"s p\tx"@y>\n'],
  ])('quote the sender %p', (sender, line) => {
    expect(returnPathLine(sender)).toBe(line);
  });

  it.each([
    ['s p\tx@y', 'From s-p-x@y Fri Nov 20 23:49:09 2026\n'],
    ['', 'From MAILER-DAEMON Fri Nov 20 23:49:09 2026\n'],
  ])('make a From_ line of %p', (sender, line) => {
    expect(fromLine(sender, then)).toBe(line);
  });

  it('pad the day with a zero', () => {
    expect(fromLine('a@b', Date.UTC(2026, 10, 2, 3, 4, 5))).toBe(
      'From a@b Mon Nov 02 03:04:05 2026\n',
    );
  });
});
