// VM: a class of device
/**
 * The thirteen cases of Bulk-Only Transport 1.0, 6.7, in which the host and the
 * command agree on the data or not, and commands that fail.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assertEquals } from "@std/assert";
import { pattern } from "../support/data/pattern.ts";
import { startDisk } from "../support/disk/bench.ts";
import {
  inquiry,
  read10,
  testUnitReady,
  write10,
} from "../support/disk/cdb.ts";
import { blockContents, TestDisk } from "../support/disk/test_disk.ts";
import {
  type DataPhase,
  FAILED,
  PASSED,
  PHASE_ERROR,
} from "../support/host/bulk_only_host.ts";
import { gadgetSpeed } from "../support/run/speed.ts";

const { bulkPacketSize: PACKET } = gadgetSpeed();
const BLOCK = 512;
const COUNT = 2048;
/** Cannot be read or written. */
const BAD = 1000;
/** Bytes more or less than a command has, around the packet border. */
const EXCESS = [1, PACKET - 1, PACKET, PACKET + 1, 65_536];
const NOTHING = new Uint8Array(0);

interface Case {
  readonly name: string;
  readonly cdb: readonly number[];
  readonly phase?: DataPhase;
  readonly status: number;
  readonly residue: number;
  /** What the host receives. */
  readonly data?: Uint8Array<ArrayBuffer>;
  /** Whether the data of the host is refused. */
  readonly refused?: boolean;
  readonly sense?: string;
  /** What is done to the disk. */
  readonly log?: readonly string[];
}

/** Cases without data from the host. */
function* inCases(identity: Uint8Array<ArrayBuffer>): Generator<Case> {
  yield {
    name: "1 Hn = Dn",
    cdb: testUnitReady(),
    status: PASSED,
    residue: 0,
  };
  const error = { status: PHASE_ERROR, log: [] };
  yield { name: "2 Hn < Di", cdb: read10(0, 1), ...error, residue: 0 };
  yield { name: "3 Hn < Do", cdb: write10(0, 1), ...error, residue: 0 };
  for (const receive of EXCESS) {
    yield {
      name: `4 Hi > Dn: ${receive}`,
      cdb: testUnitReady(),
      phase: { receive },
      status: PASSED,
      residue: receive,
    };
    yield {
      name: `4 Hi > Dn, no blocks: ${receive}`,
      cdb: read10(0, 0),
      phase: { receive },
      status: PASSED,
      residue: receive,
      log: [],
    };
    yield {
      name: `5 Hi > Di, a short packet: ${identity.length}+${receive}`,
      cdb: inquiry(255),
      phase: { receive: identity.length + receive },
      status: PASSED,
      residue: receive,
      data: identity,
    };
    yield {
      name: `4 Hi > Dn, a failed command: ${receive}`,
      cdb: read10(COUNT, 1),
      phase: { receive },
      status: FAILED,
      residue: receive,
      sense: "5/21/00",
      log: [],
    };
    for (const count of [1, 2, 3, 65]) {
      yield {
        name: `5 Hi > Di: ${count} blocks + ${receive}`,
        cdb: read10(7, count),
        phase: { receive: count * BLOCK + receive },
        status: PASSED,
        residue: receive,
        data: blockContents(7, count),
      };
      const less = count * BLOCK - receive;
      if (less <= 0) continue;
      yield {
        name: `7 Hi < Di: ${count} blocks - ${receive}`,
        cdb: read10(0, count),
        phase: { receive: less },
        ...error,
        residue: less,
      };
    }
    yield {
      name: `8 Hi <> Do: ${receive}`,
      cdb: write10(0, 2),
      phase: { receive },
      ...error,
      residue: receive,
    };
  }
  yield {
    name: "6 Hi = Di, a short packet",
    cdb: inquiry(identity.length),
    phase: { receive: identity.length },
    status: PASSED,
    residue: 0,
    data: identity,
  };
  yield {
    name: "7 Hi < Di, a short packet",
    cdb: inquiry(36),
    phase: { receive: 35 },
    ...error,
    residue: 35,
  };
  for (const count of [1, 2, 3, 128, 512]) {
    yield {
      name: `6 Hi = Di: ${count}`,
      cdb: read10(9, count),
      phase: { receive: count * BLOCK },
      status: PASSED,
      residue: 0,
      data: blockContents(9, count),
    };
  }
  for (const good of [0, 1, 2, 3, 600]) {
    for (const excess of [0, 1, PACKET]) {
      const receive = (good + 3) * BLOCK + excess;
      yield {
        name: `a read that fails after ${good} blocks, + ${excess}`,
        cdb: read10(BAD - good, good + 3),
        phase: { receive },
        status: FAILED,
        residue: receive - good * BLOCK,
        data: blockContents(BAD - good, good),
        sense: `3/11/00 block ${BAD}`,
      };
    }
  }
}

/** Cases with data from the host. */
function* outCases(): Generator<Case> {
  const refused = { refused: true, log: [] };
  for (const length of EXCESS) {
    const send = pattern(length, 1);
    const phase = { send };
    const rest = { phase, residue: length, ...refused };
    yield {
      name: `9 Ho > Dn: ${length}`,
      cdb: testUnitReady(),
      status: PASSED,
      ...rest,
    };
    yield {
      name: `9 Ho > Dn, no blocks: ${length}`,
      cdb: write10(0, 0),
      status: PASSED,
      ...rest,
    };
    yield {
      name: `9 Ho > Dn, a failed command: ${length}`,
      cdb: [0xff, 0, 0, 0, 0, 0],
      status: FAILED,
      ...rest,
      sense: "5/20/00",
    };
    yield {
      name: `a write that fails before its data: ${length}`,
      cdb: write10(COUNT - 1, 2),
      status: FAILED,
      ...rest,
      sense: "5/21/00",
    };
    yield {
      name: `10 Ho <> Di: ${length}`,
      cdb: read10(0, 1),
      status: PHASE_ERROR,
      ...rest,
    };
    yield {
      name: `13 Ho < Do: ${length}`,
      cdb: write10(0, 130),
      status: PHASE_ERROR,
      ...rest,
    };
    for (const count of [1, 2, 65]) {
      yield {
        name: `11 Ho > Do: ${count} blocks + ${length}`,
        cdb: write10(20, count),
        phase: { send: pattern(count * BLOCK + length, count) },
        status: PASSED,
        residue: length,
      };
    }
  }
  for (const count of [1, 2, 3, 128, 512]) {
    yield {
      name: `12 Ho = Do: ${count}`,
      cdb: write10(20, count),
      phase: { send: pattern(count * BLOCK, count) },
      status: PASSED,
      residue: 0,
    };
  }
  for (const good of [0, 1, 2, 3, 600]) {
    for (const excess of [0, 1, PACKET]) {
      const length = (good + 3) * BLOCK + excess;
      yield {
        name: `a write that fails after ${good} blocks, + ${excess}`,
        cdb: write10(BAD - good, good + 3),
        phase: { send: pattern(length, good) },
        status: FAILED,
        residue: length - good * BLOCK,
        sense: `3/0c/00 block ${BAD}`,
      };
    }
  }
}

/** Whether the data phase of a case has to end with a stall. */
function stalls({ phase = {}, data = NOTHING }: Case): boolean {
  const { receive = 0 } = phase;
  // Otherwise a short packet ends it. Data of the host is always received.
  return data.length < receive && data.length % PACKET === 0;
}

for (const stall of [true, false]) {
  const how = stall ? "with stalls" : "without stalls";
  Deno.test(`the thirteen cases end as the specification says, ${how}`, async () => {
    const disk = new TestDisk({ blockCount: COUNT });
    disk.bad.add(BAD);
    await using bench = await startDisk({ luns: [disk], stall });
    const { host } = bench;
    const identity = await host.ask(inquiry(255), 255);
    for (const it of [...inCases(identity), ...outCases()]) {
      disk.takeLog();
      const { data, sent, ...result } = await host.run(it.cdb, it.phase);
      const { status, residue, data: expected = NOTHING, refused } = it;
      const stalled = stall && stalls(it);
      assertEquals(result, { status, residue, stalled }, it.name);
      assertEquals(data, expected, it.name);
      const { send } = it.phase ?? {};
      if (send !== undefined) assertEquals(sent, send.length, it.name);
      const log = disk.takeLog();
      if (it.log !== undefined) assertEquals(log, it.log, it.name);
      if (send !== undefined && !refused) {
        const lba = Number(/^write (\d+)/.exec(log[0])![1]);
        const count = (send.length - residue) / BLOCK;
        assertEquals(
          disk.blocks(lba, count),
          send.slice(0, count * BLOCK),
          it.name,
        );
        // The block behind it is never written.
        assertEquals(
          disk.blocks(lba + count),
          blockContents(lba + count),
          it.name,
        );
        disk.bytes.set(blockContents(lba, count), lba * BLOCK);
      }
      if (it.sense !== undefined) {
        assertEquals(await host.sense(), it.sense, it.name);
      }
      // As a host that was confused would, now and then.
      if (status === PHASE_ERROR && residue % 2 === 0) await host.recover();
      assertEquals(
        await host.pass(read10(3, 1), { receive: BLOCK }),
        blockContents(3),
        it.name,
      );
    }
    assertEquals(disk.overlaps, 0);
    assertEquals(bench.errors, []);
  });
}
