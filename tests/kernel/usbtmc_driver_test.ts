// VM: --modules usbtmc, a class of device
/**
 * Instruments under the kernel's driver `usbtmc`, with all of its ioctls.
 *
 * @module
 */
import "../support/run/aio_libraries.ts";
import { assert, assertEquals } from "@std/assert";
import { Usbtmc } from "@usb/gadget/usbtmc";
import { firstDifference, pattern } from "../support/data/pattern.ts";
import {
  IDENTITY,
  testInstrument,
} from "../support/gadgets/test_instrument.ts";
import { startUsbtmc } from "../support/gadgets/usbtmc_gadget.ts";
import { usedMemory } from "../support/measure/memory.ts";
import { soak } from "../support/run/soak.ts";
import { until } from "../support/waiting/until.ts";

const ENOMSG = 42;
const EPIPE = 32;
const ETIMEDOUT = 110;

async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}

async function start() {
  const { instrument, record } = testInstrument();
  const gadget = await startUsbtmc(instrument);
  const python = await gadget.driver();
  await python.run(`
def early(source):
    """Does what cannot be done in time."""
    device.set_timeout(300)
    try: eval(source)
    finally: device.set_timeout(120000)`);
  return {
    instrument,
    record,
    run: (source: string) => python.run(source),
    failure: (source: string) => python.failure(source),
    async [Symbol.asyncDispose]() {
      await python[Symbol.asyncDispose]();
      await gadget[Symbol.asyncDispose]();
    },
  };
}

Deno.test("the driver reads capabilities, asks, and finds no errors", async () => {
  await using it = await start();
  assertEquals(await it.run("device.get_caps()"), 0xf7);
  assert(await it.run("device.api_version()") >= 2);
  assertEquals(await it.run("device.ask('*IDN?\\n')"), `${IDENTITY}\n`);
  assertEquals(await it.run("device.msg_in_attr()"), 1);
  assertEquals(await it.run("device.ask('SYST:ERR?')"), '0,"No error"\n');
  assertEquals(
    await it.run("device.control(0xa1, 7, 0, 0, 24)[:4]"),
    [1, 0, 0, 1],
  );
});

Deno.test("responses and messages of all sizes around the borders of packets and buffers", async () => {
  await using it = await start();
  const borders = [500, 1012, 2036, 4084, 8180];
  const sizes = borders.flatMap((size) =>
    [-4, -1, 0, 1, 4].map((it) => size + it)
  );
  await it.run(`
def around(sizes):
    for size in sizes:
        device.write(f"TEXT? {size}")
        text = device.read(size + 100)
        assert text == b"x" * (size - 1) + b"\\n", (size, len(text))
        # A read of exactly the size
        device.write(f"TEXT? {size}")
        assert len(device.read(size)) == size, size
        assert device.msg_in_attr() == 1, size
        size -= len("DATA #4xxxx")
        device.write(b"DATA #4%04d" % size + b"y" * size)
        assert device.ask("DATA:SIZE?") == f"{size}\\n", size
`);
  await it.run(`around(${JSON.stringify(sizes)})`);
  assertEquals(await it.run("device.ask('SYST:ERR?')"), '0,"No error"\n');
});

Deno.test("blocks of 4 MiB go in both directions", async () => {
  await using it = await start();
  const size = 4 << 20;
  await it.run(`
data = bytes(range(251)) * (${size} // 251 + 1)
data = data[:${size}]
device.write(b"DATA #7${size}" + data + b"\\n")`);
  assertEquals(await it.run("device.ask('DATA:SIZE?')"), `${size}\n`);
  const sent = Uint8Array.from({ length: size }, (_, index) => index % 251);
  assertEquals(firstDifference(it.record.block, sent), -1);
  for (const part of [size + 100, 1 << 20, 100_000]) {
    await it.run(`
device.write("DATA? ${size}")
data = device.read_all(${part})`);
    assertEquals(
      await it.run("data[:9].decode() + str(len(data))"),
      `#7${size}${size + 10}`,
    );
    assertEquals(
      await it.run(`hashlib.sha256(data[9:-1]).hexdigest()`),
      await digest(pattern(size)),
    );
  }
});

Deno.test("a message without EOM continues, and a read ends at a TermChar", async () => {
  await using it = await start();
  await it.run("device.eom_enable(0); device.write('*ID')");
  await it.run("device.eom_enable(1); device.write('N?')");
  assertEquals(await it.run("device.read().decode()"), `${IDENTITY}\n`);
  await it.run("device.config_termchar(10, 1); device.write('LIN? 2')");
  for (
    const [text, attributes] of [["line\n", 2], ["line\n", 2], ["end\n", 3]]
  ) {
    assertEquals(await it.run("device.read().decode()"), text);
    assertEquals(await it.run("device.msg_in_attr()"), attributes);
  }
});

Deno.test("the status byte, service requests, triggers, pulses and remote control", async () => {
  await using it = await start();
  const { record } = it;
  assertEquals(await it.run("device.read_stb()"), 0);
  for (let round = 0; round < 130; round++) {
    // Tags from 2 to 127, and again
    assertEquals(await it.run("device.get_stb()"), 0);
  }
  assertEquals(await it.failure("device.get_srq_stb()"), ENOMSG);
  await it.run("device.write('*SRE 16'); device.write('*IDN?')");
  await it.run("device.wait_srq(60000)");
  assertEquals(await it.run("device.get_srq_stb()"), 0x50);
  assertEquals(await it.run("device.read_stb()"), 0x50);
  assertEquals(await it.run("device.read().decode()"), `${IDENTITY}\n`);
  assertEquals(await it.run("device.read_stb()"), 0);
  await it.run("device.write('*CLS;*SRE 32;*ESE 1;*OPC')");
  await it.run("device.wait_srq(60000)");
  assertEquals(await it.run("device.read_stb()"), 0x60);
  assertEquals(await it.run("device.ask('*ESR?')"), "1\n");
  await it.run(
    "device.trigger(); device.write('*TRG'); device.indicator_pulse()",
  );
  assertEquals(await it.run("device.ask('*OPC?')"), "1\n");
  assertEquals([record.triggers, record.pulses], [2, 1]);
  await it.run("device.ren_control(1); device.write('*WAI')");
  await it.run("device.ask('*OPC?')");
  await it.run(
    "device.local_lockout(); device.goto_local(); device.ren_control(0)",
  );
  assertEquals(record.remote, [
    "remote",
    "remote lockout",
    "local lockout",
    "local",
  ]);
});

Deno.test("the device is cleared in every phase", async () => {
  await using it = await start();
  const { record } = it;
  await it.run(`
def header(id, size, attributes=0):
    # A tag that the driver does not use now
    return struct.pack("<BBBxI4B", id, 200, 55, size, attributes, 0, 0, 0)`);
  const phases: Record<string, string> = {
    "when nothing happens": "pass",
    "in a message": "device.generic_write(header(1, 50000) + b'x' * 4084)",
    "between transfers of a message":
      "device.eom_enable(0); device.write('DATA? '); device.eom_enable(1)",
    "while a command waits": "device.write('WAIT?')",
    "while its response is wanted":
      "device.write('WAIT?'); device.generic_write(header(2, 1000))",
    "when a response is ready": "device.write('*IDN?')",
    "when a response is being sent":
      "device.write('DATA? 100000'); device.generic_write(header(2, 1 << 20))",
    "in a response": "device.write('DATA? 100000'); device.read(10)",
    "when a read without a response waits":
      "device.generic_write(header(2, 100))",
    "while the host sends what the device does not take": `
device.write("WAIT?")
device.write("WAIT?")
device.generic_write(header(1, 1000, 1) + b'x' * 1000, ASYNC)`,
    "after a header that is none": `
try:
    for left in range(3): device.generic_write(bytes(100))
except OSError: pass
device.cleanup_io()`,
  };
  let clears = 0;
  for (const [phase, begin] of Object.entries(phases)) {
    await it.run(begin);
    await it.run("device.clear(); device.cancel_io(); device.cleanup_io()");
    assertEquals(record.clears, ++clears, phase);
    assertEquals(
      await it.run("device.ask('*CLS;*IDN?')"),
      `${IDENTITY}\n`,
      phase,
    );
    assertEquals(
      await it.run("device.ask('SYST:ERR?')"),
      '0,"No error"\n',
      phase,
    );
    assertEquals(record.waiting, 0, phase);
  }
});

Deno.test("reads are aborted, by hand and by themselves, and their responses are read later", async () => {
  await using it = await start();
  const { record } = it;
  for (const isAutomatic of [false, true]) {
    await it.run(`device.auto_abort(${isAutomatic ? 1 : 0})`);
    await it.run("device.write('WAIT?')");
    await until(() => record.waiting === 1, "the command");
    assertEquals(await it.failure("early('device.read()')"), ETIMEDOUT);
    if (!isAutomatic) await it.run("device.abort_bulk_in()");
    record.release();
    assertEquals(await it.run("device.read().decode()"), "waited\n");
  }
  // Nothing to abort
  await it.run("device.abort_bulk_in()");
});

Deno.test("a response that is aborted in its middle comes again", async () => {
  await using it = await start();
  await it.run(`
tag = 77
device.write("DATA? 3000000")
device.generic_write(struct.pack("<BBBxI4x", 2, tag, 255 - tag, 1 << 22))
assert len(device.generic_read(8192)) == 8192
answer = device.control(0xa2, 3, tag, device.bulk_in, 2)
assert answer == [1, tag], answer`);
  // A short packet ends it.
  assertEquals(await it.run("len(device.generic_read(4096))"), 0);
  assertEquals(
    (await it.run("device.control(0xa2, 4, 0, device.bulk_in, 8)")).slice(0, 4),
    [1, 0, 0, 0],
  );
  assertEquals(
    await it.run("hashlib.sha256(device.read_all(1 << 22)[9:-1]).hexdigest()"),
    await digest(pattern(3_000_000)),
  );
});

Deno.test("messages are aborted, and the next one is understood", async () => {
  await using it = await start();
  const { record } = it;
  await it.run(`
device.auto_abort(1)
device.write("WAIT?")
device.write("WAIT?")`);
  await until(() => record.waiting === 1, "the command");
  // The device takes the beginning of one more.
  assertEquals(
    await it.failure("early('device.write(bytes(4 << 20))')"),
    ETIMEDOUT,
  );
  record.release();
  await until(() => record.waits === 2, "the second command");
  record.release();
  assertEquals(await it.run("device.ask('*CLS;*IDN?')"), `${IDENTITY}\n`);
});

Deno.test("what is no header halts the endpoint until the host clears it", async () => {
  await using it = await start();
  await it.run("device.generic_write(bytes(16))");
  await it.run(`
import errno
def until_halted():
    for left in range(1000):
        try: device.generic_write(bytes(16))
        except OSError as error: return error.errno`);
  assertEquals(await it.run("until_halted()"), EPIPE);
  await it.run(
    "device.cleanup_io(); device.clear_out_halt(); device.clear_in_halt()",
  );
  assertEquals(await it.run("device.ask('*IDN?')"), `${IDENTITY}\n`);
});

Deno.test("a device of messages receives and sends in parts", async () => {
  let parts: Uint8Array[] = [];
  const device = new Usbtmc({
    async onMessage(message) {
      parts = await Array.fromAsync(message);
      return (async function* () {
        yield* parts;
      })();
    },
  });
  await using gadget = await startUsbtmc(device);
  await using python = await gadget.driver();
  await python.run(`
data = os.urandom(3000000)
device.write(data)
back = device.read_all()`);
  assertEquals(await python.run("back == data"), true);
  assert(parts.length > 1);
});

Deno.test("queries without end need no more memory", async () => {
  await using it = await start();
  await it.run(`
def many(count):
    for n in range(count):
        assert device.ask("*IDN?") == "${IDENTITY}\\n"
        if n % 10 == 0:
            device.read_stb()
            device.clear()`);
  const rounds = soak(1000, 40);
  await it.run(`many(${rounds})`);
  const used = () =>
    usedMemory(({ heapUsed, external }) => heapUsed + external);
  const before = await used();
  await it.run(`many(${rounds})`);
  const growth = await used() - before;
  assert(growth < 1 << 20, `${growth} bytes for ${rounds} queries`);
});
