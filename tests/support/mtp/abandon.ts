/**
 * Transfers of files that a host begins and does not end.
 *
 * @module
 */
import { OperationCode } from "../../../src/classes/mtp/protocol/codes.ts";
import { pattern } from "../data/pattern.ts";
import type { Random } from "../data/random.ts";
import { dataContainer, type MtpHost } from "../host/mtp_host.ts";
import { announce } from "./bus_bench.ts";

/** The name of a file that is never complete. */
export const HALF = "half";

/**
 * Begins to get or to send a file, and stops anywhere in it; returns the
 * transaction.
 *
 * @param handle A file to get.
 * @param size Its bytes, at least one packet.
 */
export async function abandonTransfer(
  host: MtpHost,
  random: Random,
  handle: number,
  size: number,
): Promise<number> {
  const { packetSize } = host.pipe;
  const most = Math.floor(size / packetSize);
  const packets = random.int(0, random.pick([2, 20, most]));
  if (random.chance()) {
    const id = await host.command(OperationCode.GetObject, [handle]);
    if (packets > 0) await host.pipe.receive(packets * packetSize);
    return id;
  }
  await announce(host, HALF, size);
  const id = await host.command(OperationCode.SendObject);
  if (packets > 0) {
    const bytes = dataContainer({
      length: size + 12,
      code: OperationCode.SendObject,
      transactionId: id,
    }, pattern(packets * packetSize - 12));
    await host.pipe.send(bytes, false);
  }
  return id;
}
