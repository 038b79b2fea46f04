/**
 * Reads page after page of a list, until there is no next one or `take` has enough. Returns the last page that was read:
 * its `next` is empty where it was the list's last too.
 */
export async function readPages<P extends { readonly next: string }>(
  read: (next: string) => Promise<P>,
  take: (page: P) => boolean,
): Promise<P> {
  for (let next = ''; ;) {
    // each page says where the next one begins
    // oxlint-disable-next-line no-await-in-loop
    const page = await read(next);
    if (!take(page) || page.next === '') return page;
    next = page.next;
  }
}
