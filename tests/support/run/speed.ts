/**
 * The speed at which a run of the kernel tests lets its gadgets talk.
 *
 * @module
 */

const SPEEDS = {
  full: { maxSpeed: "full-speed", bulkPacketSize: 64, sysfsSpeed: "12" },
  high: { maxSpeed: "high-speed", bulkPacketSize: 512, sysfsSpeed: "480" },
  super: { maxSpeed: "super-speed", bulkPacketSize: 1024, sysfsSpeed: "5000" },
} as const;

/** A speed, in the words of those who ask for it. */
export type TestSpeed = typeof SPEEDS[keyof typeof SPEEDS];

/**
 * Returns the speed that the environment variable `GADGET_SPEED` asks for:
 * `full`, `high` or `super`, which is the default.
 *
 * @returns `maxSpeed` for the definition of a gadget, the size of a full bulk
 * packet in bytes, and what the host's sysfs will show as `speed`.
 */
export function gadgetSpeed(): TestSpeed {
  const name = Deno.env.get("GADGET_SPEED") ?? "super";
  const speed = new Map<string, TestSpeed>(Object.entries(SPEEDS)).get(name);
  if (speed === undefined) {
    throw new TypeError(
      `Cannot use GADGET_SPEED "${name}": it must be one of ${
        Object.keys(SPEEDS).join(", ")
      }`,
    );
  }
  return speed;
}
