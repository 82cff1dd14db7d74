/**
 * `npm run torture [-- KILLS [SEED]]`: the long form of the crash test, with its accounts printed.
 * `npm run torture -- nodes [SEEDS]`: the long form of the model test of several nodes, 10,000 seeds.
 */
import { spawnSync } from 'node:child_process';
import { torture } from './torture.ts';

if (process.argv[2] === 'nodes') {
  const env = { ...process.env, WAYBILL_SEEDS: process.argv[3] ?? '10000' };
  const { status } = spawnSync('npm', ['test', '--', 'test/nodes/model'], {
    env,
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}

const [kills = '200', seed = String(Date.now() % 1_000_000)] = process.argv.slice(2);
console.log(`torture: ${kills} kills, seed ${seed}`);
const accounts = await torture({
  kills: Number(kills),
  sessions: 20,
  seed: Number(seed),
  onKill: (n, roles) => {
    if (process.stdout.isTTY) process.stdout.write(`\r${n}/${kills} ${roles.join(' ').padEnd(40)}`);
    else if (n % 20 === 0) console.log(`${n}/${kills}`);
  },
});
const { verify, ...sums } = accounts;
console.log(JSON.stringify(sums, null, 2));
console.log(verify.stdout.slice(0, 2_000));
const good = sums.lost.length === 0 && sums.unexplained.length === 0 && verify.code === 0;
console.log(good ? 'nothing lost, every duplicate explained' : 'THE ACCOUNTS DO NOT BALANCE');
process.exitCode = good ? 0 : 1;
