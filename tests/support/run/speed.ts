/**
 * The speed of the gadgets in a run of the kernel tests.
 *
 * @module
 */

const SPEEDS = {
  full: { maxSpeed: "full-speed", bulkPacketSize: 64, sysfsSpeed: "12" },
  high: { maxSpeed: "high-speed", bulkPacketSize: 512, sysfsSpeed: "480" },
  super: { maxSpeed: "super-speed", bulkPacketSize: 1024, sysfsSpeed: "5000" },
} as const;

/** A speed, as gadgets, packets and sysfs express it. */
export type TestSpeed = typeof SPEEDS[keyof typeof SPEEDS];

/**
 * Returns the speed in the environment variable `GADGET_SPEED`: `full`, `high` or
 * `super`, which is the default.
 *
 * @returns `maxSpeed` for a gadget's definition, the size of a full bulk packet in
 * bytes, and `speed` in the host's sysfs.
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
