/** What a server under test says of itself: bytes, and the processor's time since it started. */
export type Gauge = { readonly rss: number; readonly heapUsed: number; readonly cpuMicros: number };

/** `rested` collects garbage first. */
export type GaugeQuestion = 'as-is' | 'rested';

/**
 * Loaded into a server before its own code (`node --expose-gc --import`): tells the parent what the process takes, and
 * ends it with the parent. The server itself runs as it is shipped.
 */
process.on('message', (question: GaugeQuestion) => {
  if (question === 'rested') {
    // what the first collection lets go of, the second gives back
    globalThis.gc?.();
    globalThis.gc?.();
  }
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  const gauge: Gauge = { rss, heapUsed, cpuMicros: user + system };
  process.send?.(gauge);
});
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// listening to the parent must not keep alive a server that wants to end
process.channel?.unref();
