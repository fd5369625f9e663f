/**
 * Commands at random, with data at random: whatever a host sends, a disk answers.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { MassStorage } from "@usb/gadget/mass-storage";
import { Random } from "../data/random.ts";
import { testSeed } from "../data/seed.ts";
import {
  type BulkOnlyHost,
  FAILED,
  PHASE_ERROR,
} from "../host/bulk_only_host.ts";
import { inquiry } from "./cdb.ts";

/** Commands with data or effects, which come more often than others. */
const INTERESTING = [0x28, 0x2a, 0x88, 0x8a, 0x2f, 0x41, 0x93, 0x42, 0x9e];
const LENGTHS = [0, 1, 13, 18, 31, 512, 2048, 4096, 65_536];

/**
 * Sends commands to unit 0 and checks what holds for each: the status, the
 * residue, sense data for a failure, and that the next command is answered.
 */
export async function sendRandomCommands(
  host: BulkOnlyHost,
  { luns: [unit] }: MassStorage<string>,
  count: number,
): Promise<void> {
  const seed = testSeed();
  const random = new Random(seed);
  const codes = [
    ...Array(256).keys(),
    ...Array.from({ length: 8 }, () => INTERESTING).flat(),
  ];
  const medium = unit.medium!;
  const identity = await host.pass(inquiry(36), { receive: 36 });
  for (let round = 0; round < count; round++) {
    const cdb = Array.from(
      { length: random.int(1, 16) },
      () => random.chance(0.8) ? 0 : random.int(0, 255),
    );
    cdb[0] = random.pick(codes);
    const length = random.pick(LENGTHS);
    const send = new Uint8Array(length).fill(random.int(0, 255));
    const phase = random.chance() ? { send } : { receive: length };
    try {
      const { status, residue, data, sent } = await host.run(cdb, phase);
      assert(status <= PHASE_ERROR, `status ${status}`);
      assert(residue <= length, `residue ${residue}`);
      if (phase.receive !== undefined) {
        assertEquals(data.length, length - residue);
      } else {
        assert(sent >= length - residue, `residue ${residue}`);
      }
      if (status === FAILED) assert(await host.sense() !== "0/00/00");
      // It may have been ejected.
      if (unit.medium === undefined) unit.insert(medium);
      if (random.chance(0.1)) {
        assertEquals(await host.pass(inquiry(36), { receive: 36 }), identity);
      }
    } catch (cause) {
      const what = `${cdb.join(" ")} with ${length} bytes`;
      throw new Error(`GADGET_SEED=${seed}, round ${round}: ${what}`, {
        cause,
      });
    }
  }
}
