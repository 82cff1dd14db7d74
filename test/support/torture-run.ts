/**
 * `npm run torture [-- KILLS [SEED]]`: the long form of the crash test, with its accounts printed.
 * `npm run torture -- nodes [SEEDS]`: the long form of the model test of several nodes, 10,000 seeds.
 * `npm run torture -- power [CUTS [SEED]]`: the long form of the power cuts, 500 of them.
 */
import { spawnSync } from 'node:child_process';
import { cutPower, recordLetters } from './power-cut/power-cut.ts';
import { torture } from './torture.ts';

if (process.argv[2] === 'nodes') {
  const env = { ...process.env, WAYBILL_SEEDS: process.argv[3] ?? '10000' };
  const { status } = spawnSync('npm', ['test', '--', 'test/nodes/model'], {
    env,
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}

if (process.argv[2] === 'power') process.exit(await powerCuts(process.argv.slice(3)));

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

/** So many letters that the write-ahead log is folded back in the middle of it. */
async function powerCuts([cuts = '500', seeded = String(Date.now() % 1_000_000)]: string[]) {
  const letters = 300;
  console.log(`torture: ${letters} letters, ${cuts} power cuts, seed ${seeded}`);
  const recorded = await recordLetters(letters);
  let done = 0;
  let wrong = 0;
  for await (const cut of cutPower(recorded, { cuts: Number(cuts), seed: Number(seeded) })) {
    done += 1;
    if (process.stdout.isTTY) process.stdout.write(`\r${done}/${cuts}`);
    else if (done % 50 === 0) console.log(`${done}/${cuts}`);
    if (cut.wrong.length === 0) continue;
    wrong += 1;
    console.log(JSON.stringify(cut, null, 2));
  }
  await recorded.remove();
  console.log(wrong === 0 ? 'nothing lost' : `${wrong} of ${done} cuts LOST SOMETHING`);
  return wrong === 0 ? 0 : 1;
}
