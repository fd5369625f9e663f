// A reader with a smart card that has one file:
//
//   sudo deno run --allow-ffi examples/smart_card.ts TEXT
//
// pcscd serves it when the ids are in the Info.plist of libccid. Then:
//
//   opensc-tool -s 00:A4:00:0C:02:00:01 -s 00:B0:00:00:00
import { Gadget } from "@usb/gadget";
import { CardReader, type SmartCard } from "@usb/gadget/ccid";

const file = new TextEncoder().encode(Deno.args[0] ?? "Hello");
const status = (code: number) => Uint8Array.of(code >> 8, code & 0xff);
let selected = false;

const card: SmartCard = {
  onReset() {
    selected = false;
  },
  onApdu(apdu) {
    const [, instruction, p1, p2] = apdu;
    if (instruction === 0xa4) { // SELECT
      selected = apdu[5] === 0x00 && apdu[6] === 0x01;
      return status(selected ? 0x9000 : 0x6a82);
    }
    if (instruction !== 0xb0) return status(0x6d00);
    if (!selected) return status(0x6986);
    const at = p1 << 8 | p2; // READ BINARY
    return Uint8Array.of(...file.subarray(at, at + 256), ...status(0x9000));
  },
};

const reader = new CardReader();
reader.slots[0].insert(card);
await Gadget.start({
  vendorId: 0x1209,
  productId: 0x0001,
  serialNumber: "1",
  functions: [reader],
});
