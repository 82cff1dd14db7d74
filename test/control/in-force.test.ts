import { describe, expect, it } from '@jest/globals';
import { controlsInForce } from '../../src/control/in-force.ts';
import { ControlMistake } from '../../src/mail/trouble.ts';

const texts = { me: 'here.test\n' };

describe('the controls in force', () => {
  it('are those read last, and change by reloading only', () => {
    const controls = controlsInForce(texts, 'control');
    const { digest } = controls.current;
    const reloaded = controls.reload({ ...texts, locals: 'other.test\n' });
    expect(controls.current).toBe(reloaded);
    expect([...reloaded.controls.locals]).toEqual(['other.test']);
    expect(reloaded.digest).not.toBe(digest);
    expect(controls.reload(texts).digest).toBe(digest);
  });

  it('stay as they are when the new ones have a mistake, which names the file', () => {
    const controls = controlsInForce(texts, '/etc/waybill/control');
    const before = controls.current;
    const reload = () => controls.reload({ ...texts, 'tcp.smtp': ':allow\nrubbish:\n' });
    expect(reload).toThrow(ControlMistake);
    expect(reload).toThrow('/etc/waybill/control/tcp.smtp:2');
    expect(controls.current).toBe(before);
    expect(controls.reload({ me: 'there.test\n' }).controls.me).toBe('there.test');
  });

  it('are none where nobody knows who we are', () => {
    expect(() => controlsInForce({}, 'control')).toThrow(ControlMistake);
  });
});
