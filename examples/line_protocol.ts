// An instrument that is controlled by lines of text, as many are:
//
//   *IDN?        identifies the instrument
//   VOLT 3.3     sets a voltage
//   VOLT?        returns the voltage
//   ERR?         returns the last error
//
// Lines are independent of transfers: a host may send a line in pieces, or several
// lines at once.
//
//   sudo deno run --allow-ffi examples/line_protocol.ts
import { TextLineStream } from "@std/streams/text-line-stream";
import { bulkPair, Gadget, usbFunction } from "@usb/gadget";

let volts = 0;
let mistake = "none";

/** Executes a line, and returns the answer to a query. */
function obey(line: string): string | undefined {
  const [command, argument] = line.trim().split(/\s+/);
  switch (command.toUpperCase()) {
    case "*IDN?":
      return "Example,Voltage source,1,0.1";
    case "VOLT?":
      return volts.toFixed(3);
    case "ERR?":
      return mistake;
    case "VOLT":
      if (argument !== undefined && Number.isFinite(Number(argument))) {
        volts = Number(argument);
        return undefined;
      }
  }
  if (command !== "") mistake = `cannot do "${line.trim()}"`;
  return undefined;
}

const encoder = new TextEncoder();

const instrument = usbFunction({
  name: "instrument",
  interfaces: [{
    class: 0xff,
    description: "Instrument",
    endpoints: { link: bulkPair() },
  }],
  // A line that a host left unfinished is dropped with its session.
  async serve({ endpoints: { link } }) {
    const lines = link.readable
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    for await (const line of lines) {
      const answer = obey(line);
      if (answer === undefined) continue;
      await link.write(encoder.encode(`${answer}\n`));
    }
  },
});

const gadget = await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Voltage source",
  serialNumber: "1",
  functions: [instrument],
});

// The host sees where an answer ends, whatever its size.
gadget.functions.instrument.endpoints.link.autoZlp = true;
