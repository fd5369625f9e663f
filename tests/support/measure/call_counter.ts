/**
 * Counts calls of C functions.
 *
 * @module
 */

/**
 * Counts the calls of each library that is opened from now on.
 *
 * @returns The counts so far, by the names in the symbol tables.
 */
export function countCalls(): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  const dlopen = Deno.dlopen;
  Deno.dlopen = ((path: string, symbols: Deno.ForeignLibraryInterface) => {
    const library = dlopen(path, symbols);
    const counting: Record<string, unknown> = {};
    for (const [name, symbol] of Object.entries(library.symbols)) {
      counting[name] = typeof symbol !== "function"
        ? symbol
        : (...args: unknown[]) => {
          counts[name] = (counts[name] ?? 0) + 1;
          return (symbol as (...args: unknown[]) => unknown)(...args);
        };
    }
    return { ...library, symbols: counting };
  }) as typeof Deno.dlopen;
  return counts;
}
