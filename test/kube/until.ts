/** Waits until `condition` holds; fails after two minutes, which no healthy run needs. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const endsAt = Date.now() + 120_000;
  while (!condition()) {
    if (Date.now() > endsAt) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
