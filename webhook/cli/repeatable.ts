/** What commander does with an option that may be given more than once: the values in their order. */
export function appended(value: string, list: readonly string[] = []): readonly string[] {
  return [...list, value];
}
