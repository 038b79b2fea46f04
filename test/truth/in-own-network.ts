import { spawn, spawnSync } from 'node:child_process';
import { ELSEWHERE } from './elsewhere.ts';

/**
 * Runs node with the given options in a network of its own: loopback, and one address of the documentation's that is no
 * loopback (RFC 5737). Where there can be none it runs them where it is, and the tests say what they miss.
 */
const [...options] = process.argv.slice(2);
const SETTING_UP = `ip link set lo up && ip addr add ${ELSEWHERE}/32 dev lo`;
const canBeAlone = spawnSync('unshare', ['--net', 'sh', '-c', SETTING_UP], { stdio: 'ignore' }).status === 0;
const [command, ...words] = canBeAlone
  ? ['unshare', '--net', 'sh', '-c', `${SETTING_UP} && exec "$@"`, 'sh', process.execPath, ...options]
  : [process.execPath, ...options];

spawn(command, words, { stdio: 'inherit' }).once('close', (code) => {
  process.exitCode = code ?? 1;
});
