/** Certificates as docs/CLUSTER-EXAMPLE.md makes them, by its own commands; nodes here have addresses for names. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const example = join(import.meta.dirname, '../../../docs/CLUSTER-EXAMPLE.md');

/** Puts `ca.pem` and `db1.pem`, `db1.key` to `db3` into the directory: 127.0.0.1 to 127.0.0.3. */
export function makeCertificates(directory: string): void {
  const text = readFileSync(example, 'utf8');
  const [, commands = ''] = /## 1\. Certificates\n.*?```sh\n(.*?)```/s.exec(text) ?? [];
  const addressed = commands.replace('DNS:%s', 'DNS:%s,IP:127.0.0.${db#db}');
  if (addressed === commands) throw new Error('the example says something else now');
  const script = addressed
    .replace("printf 'subject", 'printf "subject')
    .replace("\\n' $db", '\\n" $db');
  execFileSync('sh', ['-euc', script], { cwd: directory, stdio: 'ignore' });
}

export const whyNoCertificates = (): string | undefined => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'openssl is not installed';
  }
};
