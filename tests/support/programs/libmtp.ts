/**
 * A host that calls libmtp, for what no program of mtp-tools does. Carries out its
 * arguments, `{ "do": NAME, ... }` in JSON, and prints their results.
 *
 * @module
 */
const lib = Deno.dlopen("libmtp.so.9", {
  LIBMTP_Init: { parameters: [], result: "void" },
  LIBMTP_Get_First_Device: { parameters: [], result: "pointer" },
  LIBMTP_Release_Device: { parameters: ["pointer"], result: "void" },
  LIBMTP_Dump_Errorstack: { parameters: ["pointer"], result: "void" },
  LIBMTP_new_file_t: { parameters: [], result: "pointer" },
  LIBMTP_Send_File_From_File: {
    parameters: ["pointer", "buffer", "pointer", "pointer", "pointer"],
    result: "i32",
  },
  LIBMTP_Get_File_To_File: {
    parameters: ["pointer", "u32", "buffer", "pointer", "pointer"],
    result: "i32",
  },
  LIBMTP_Set_Object_Filename: {
    parameters: ["pointer", "u32", "buffer"],
    result: "i32",
  },
  LIBMTP_Move_Object: {
    parameters: ["pointer", "u32", "u32", "u32"],
    result: "i32",
  },
  LIBMTP_Copy_Object: {
    parameters: ["pointer", "u32", "u32", "u32"],
    result: "i32",
  },
  LIBMTP_Delete_Object: { parameters: ["pointer", "u32"], result: "i32" },
  LIBMTP_BeginEditObject: { parameters: ["pointer", "u32"], result: "i32" },
  LIBMTP_EndEditObject: { parameters: ["pointer", "u32"], result: "i32" },
  LIBMTP_TruncateObject: {
    parameters: ["pointer", "u32", "u64"],
    result: "i32",
  },
  LIBMTP_SendPartialObject: {
    parameters: ["pointer", "u32", "u64", "buffer", "u32"],
    result: "i32",
  },
  LIBMTP_GetPartialObject: {
    parameters: ["pointer", "u32", "u64", "u32", "buffer", "buffer"],
    result: "i32",
  },
  LIBMTP_Set_Friendlyname: {
    parameters: ["pointer", "buffer"],
    result: "i32",
  },
}).symbols;

const text = (value: string) => new TextEncoder().encode(`${value}\0`);

lib.LIBMTP_Init();
const device = lib.LIBMTP_Get_First_Device();
if (device === null) throw new Error("libmtp has no device");

/** A step: what to do, and with what. */
export interface LibmtpStep {
  readonly do:
    | "send"
    | "get"
    | "rename"
    | "move"
    | "copy"
    | "delete"
    | "patch"
    | "part"
    | "friendlyName";
  readonly id?: number;
  /** Of the folder; 0 for the root. */
  readonly parent?: number;
  readonly storage?: number;
  /** A file of the host. */
  readonly path?: string;
  readonly name?: string;
  readonly offset?: number;
  readonly size?: number;
  readonly data?: string;
  /** Where the file ends after a patch. */
  readonly end?: number;
}

// LIBMTP_file_t
const PARENT = 4;
const STORAGE = 8;
const FILENAME = 16;
const FILESIZE = 24;
const FILETYPE = 40;
const FILE_SIZE = 56;
const FILETYPE_UNKNOWN = 44;

/** Returns the handle of the new object. */
function send({ path = "", name = "", parent = 0, storage = 0 }: LibmtpStep) {
  const file = lib.LIBMTP_new_file_t()!;
  const view = new DataView(
    Deno.UnsafePointerView.getArrayBuffer(file, FILE_SIZE),
  );
  const filename = text(name);
  view.setUint32(PARENT, parent, true);
  view.setUint32(STORAGE, storage, true);
  view.setBigUint64(
    FILENAME,
    Deno.UnsafePointer.value(Deno.UnsafePointer.of(filename)),
    true,
  );
  view.setBigUint64(FILESIZE, BigInt(Deno.statSync(path).size), true);
  view.setUint32(FILETYPE, FILETYPE_UNKNOWN, true);
  check(
    lib.LIBMTP_Send_File_From_File(device, text(path), file, null, null),
    `send ${path}`,
  );
  return view.getUint32(0, true);
}

function patch({ id = 0, offset = 0, data = "", end }: LibmtpStep) {
  const bytes = new TextEncoder().encode(data);
  check(lib.LIBMTP_BeginEditObject(device, id), "begin to edit");
  check(
    lib.LIBMTP_SendPartialObject(
      device,
      id,
      BigInt(offset),
      bytes,
      bytes.length,
    ),
    "send a part",
  );
  if (end !== undefined) {
    check(lib.LIBMTP_TruncateObject(device, id, BigInt(end)), "truncate");
  }
  check(lib.LIBMTP_EndEditObject(device, id), "end the edit");
}

/** Returns the bytes as text. */
function part({ id = 0, offset = 0, size = 0 }: LibmtpStep): string {
  const pointer = new BigUint64Array(1);
  const count = new Uint32Array(1);
  check(
    lib.LIBMTP_GetPartialObject(
      device,
      id,
      BigInt(offset),
      size,
      new Uint8Array(pointer.buffer),
      new Uint8Array(count.buffer),
    ),
    "get a part",
  );
  const address = Deno.UnsafePointer.create(pointer[0]);
  if (address === null || count[0] === 0) return "";
  const bytes = Deno.UnsafePointerView.getArrayBuffer(address, count[0]);
  return new TextDecoder().decode(bytes);
}

function run(step: LibmtpStep): number | string | void {
  const { id = 0, parent = 0, storage = 0, path = "", name = "" } = step;
  if (step.do === "send") return send(step);
  if (step.do === "patch") return patch(step);
  if (step.do === "part") return part(step);
  const result = {
    get: () => lib.LIBMTP_Get_File_To_File(device, id, text(path), null, null),
    rename: () => lib.LIBMTP_Set_Object_Filename(device, id, text(name)),
    move: () => lib.LIBMTP_Move_Object(device, id, storage, parent),
    copy: () => lib.LIBMTP_Copy_Object(device, id, storage, parent),
    delete: () => lib.LIBMTP_Delete_Object(device, id),
    friendlyName: () => lib.LIBMTP_Set_Friendlyname(device, text(name)),
  }[step.do]();
  check(result, `${step.do} ${id} ${path}${name}`);
}

function check(result: number, what: string): void {
  if (result === 0) return;
  lib.LIBMTP_Dump_Errorstack(device);
  throw new Error(`libmtp: cannot ${what}`);
}

const results = Deno.args.map((step) => run(JSON.parse(step)) ?? null);
lib.LIBMTP_Release_Device(device);
console.log(`results: ${JSON.stringify(results)}`);
