import { describe, expect, it } from '@jest/globals';
import { welcomeWords } from '../../src/cli/welcome.ts';

const welcome = {
  ...{ me: 'mail.demo.test', local: 'demo.test', config: 'config', data: 'data', byRoot: false },
  listening: [
    { kind: 'smtp', endpoint: { host: '127.0.0.1', port: 2525 } },
    { kind: 'desk', endpoint: { host: '127.0.0.1', port: 8025 } },
  ],
};

describe('the first thing a newcomer sees', () => {
  it('fits a terminal, and says where letters come in and where the page is', () => {
    const words = welcomeWords(welcome);
    expect(words).toContain('\n  smtp       127.0.0.1:2525\n  web page   http://127.0.0.1:8025/\n');
    expect(words).toContain('--server 127.0.0.1:2525 --from you@example.org --to demo@demo.test\n');
    expect(Math.max(...words.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
  });

  it('tells whom the page does not know how to come in', () => {
    expect(welcomeWords(welcome)).not.toContain('desk link');
    expect(welcomeWords({ ...welcome, byRoot: true })).toContain('waybill -- desk link\n');
    const listening = welcome.listening.slice(0, 1);
    expect(welcomeWords({ ...welcome, listening, byRoot: true })).not.toContain('desk link');
  });
});
