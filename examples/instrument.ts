// A power supply with two outputs, controlled with SCPI: /dev/usbtmc0 on Linux.
//
//   sudo deno run --allow-ffi examples/instrument.ts
//   echo "VOLT2 3.3;:OUTP2 ON" >/dev/usbtmc0
import { Gadget } from "@usb/gadget";
import { Instrument, type ScpiCall, ScpiError } from "@usb/gadget/usbtmc";

const outputs = [{ volts: 0, isOn: false }, { volts: 0, isOn: false }];

function output({ suffixes: [number] }: ScpiCall) {
  const found = outputs[number - 1];
  if (found === undefined) throw new ScpiError(-114);
  return found;
}

const supply = new Instrument({
  identity: "Example,Power supply,1,0.1",
  commands: {
    "[SOURce]:VOLTage#": (call) => {
      output(call).volts = call.number({ min: 0, max: 30, default: 0 });
    },
    "[SOURce]:VOLTage#?": (call) => output(call).volts,
    "OUTPut#[:STATe]": (call) => void (output(call).isOn = call.boolean()),
    "OUTPut#[:STATe]?": (call) => output(call).isOn,
    "MEASure:VOLTage#?": (call) => output(call).isOn ? output(call).volts : 0,
  },
  onReset: () => {
    for (const each of outputs) Object.assign(each, { volts: 0, isOn: false });
  },
});
await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  manufacturer: "Example",
  product: "Power supply",
  serialNumber: "1",
  functions: [supply],
});
