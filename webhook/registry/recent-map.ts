/** A map of what was used last: beyond `max` the entry longest unused goes, and `onDrop` hears of it. */
export type RecentMap<V> = {
  /** The value kept under `key`, made where there is none. */
  readonly take: (key: string, make: () => V) => V;
  /** The value kept under `key`, without counting as a use. */
  readonly peek: (key: string) => V | undefined;
  readonly values: () => readonly V[];
  readonly clear: () => void;
};

export function createRecentMap<V>(max: number, onDrop: (value: V) => void = () => undefined): RecentMap<V> {
  const entries = new Map<string, { readonly value: V }>(); // in the order of last use
  return {
    take: (key, make) => {
      const entry = entries.get(key) ?? { value: make() };
      entries.delete(key);
      entries.set(key, entry);
      const oldest = entries.size > max ? entries.entries().next().value : undefined;
      if (oldest !== undefined) {
        entries.delete(oldest[0]);
        onDrop(oldest[1].value);
      }
      return entry.value;
    },
    peek: (key) => entries.get(key)?.value,
    values: () => [...entries.values()].map(({ value }) => value),
    clear: () => entries.clear(),
  };
}
