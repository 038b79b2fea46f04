import { runProgram } from './cli/program.ts';

/** The command line: hands the process's own streams over, and ends with the code that the command returns. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // whoever reads no further, `head` for instance, has what he wanted
    if (error.code === 'EPIPE') return;
    if (stream === process.stdout) process.stderr.write(`pullguard: the output cannot be written (${error.code})\n`);
    process.exitCode = 2;
  });
}

const exitCode = await runProgram(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  environment: process.env,
  interruption: () => {
    const interrupted = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => interrupted.abort());
    return interrupted.signal;
  },
  openLog: async () => {
    // only a server has a log
    const { openLogFile } = await import('./telemetry/log-file.ts');
    return openLogFile(process.stderr.fd);
  },
});
process.exitCode ??= exitCode;
