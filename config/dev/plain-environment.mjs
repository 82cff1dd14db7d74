/**
 * What somebody has in the environment is no matter of the tests: a proxy, which gRPC would take even to
 * the loopback, settings for an engine of their own, a umask of their own. What tests are told by stays.
 */
const told = ['WAYBILL_SEED', 'WAYBILL_SEEDS', 'WAYBILL_MOVING_LETTERS', 'WAYBILL_KURRENT_URL'];

for (const name of Object.keys(process.env)) {
  const isProxy = /_proxy$/i.test(name);
  const isSetting = name.startsWith('WAYBILL_') && !told.includes(name);
  if (isProxy || isSetting) delete process.env[name];
}

process.umask(0o022);
