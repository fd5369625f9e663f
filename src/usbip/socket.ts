/**
 * TCP sockets whose file descriptors the kernel can be given. Calls do not wait.
 *
 * @module
 */
import { check, Errno, errorOf, systemError } from "../../ffi/errno.ts";
import { type CallOptions, close } from "../../ffi/file.ts";
import { ERRNO, openLibc } from "../../ffi/libc.ts";

// bits/socket.h, netinet/in.h, netinet/tcp.h: the same on all architectures here.
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_KEEPALIVE = 9;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const BACKLOG = 16;
/** Bytes of `struct sockaddr_in6`, the longer one. */
const ADDRESS_SIZE = 28;

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept4: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  setsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "u32"],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

let symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

/** Opens libc for them. */
export function socketCalls() {
  return symbols ??= openLibc(SYMBOLS);
}

/** One end of a connection, or where connections are taken. */
export interface SocketAddress {
  /** An IP address, such as `"127.0.0.1"` or `"::1"`. */
  readonly address: string;
  readonly port: number;
}

/** An open socket. */
export interface Socket extends SocketAddress {
  readonly fd: number;
}

/**
 * Opens a socket that takes connections.
 *
 * @param port 0 for one that is free.
 * @throws {TypeError} If the address is no IP address.
 */
export function listenAt(
  { address, port }: SocketAddress,
  options: CallOptions,
): Socket {
  const call = { action: "listen", ...options };
  const bytes = encodeAddress(address, port);
  const family = bytes[0];
  const fd = check(
    socketCalls().socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
    ERRNO[0],
    { ...call, syscall: "socket" },
  );
  try {
    setFlag(fd, SOL_SOCKET, SO_REUSEADDR, call);
    check(socketCalls().bind(fd, bytes, bytes.length), ERRNO[0], {
      ...call,
      syscall: "bind",
    });
    check(socketCalls().listen(fd, BACKLOG), ERRNO[0], {
      ...call,
      syscall: "listen",
    });
    const own = new Uint8Array(ADDRESS_SIZE);
    const length = Uint32Array.of(ADDRESS_SIZE);
    check(socketCalls().getsockname(fd, own, length), ERRNO[0], {
      ...call,
      syscall: "getsockname",
    });
    return { fd, ...decodeAddress(own) };
  } catch (error) {
    close(fd);
    throw error;
  }
}

/** Takes the next connection; `undefined` if there is none. */
export function acceptFrom(
  fd: number,
  options: CallOptions,
): Socket | undefined {
  const call = { action: "accept a connection", ...options };
  const peer = new Uint8Array(ADDRESS_SIZE);
  const length = Uint32Array.of(ADDRESS_SIZE);
  const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
  const accepted = socketCalls().accept4(fd, peer, length, flags);
  const errno = ERRNO[0];
  if (accepted < 0) {
    // Nothing is waiting, or it has given up.
    if (errno === Errno.EAGAIN || errno === Errno.ECONNABORTED) return;
    throw systemError(errno, { ...call, syscall: "accept4" });
  }
  try {
    // Requests are small, and wait for their answers.
    setFlag(accepted, IPPROTO_TCP, TCP_NODELAY, call);
    setFlag(accepted, SOL_SOCKET, SO_KEEPALIVE, call);
    return { fd: accepted, ...decodeAddress(peer) };
  } catch (error) {
    close(accepted);
    throw error;
  }
}

function setFlag(
  fd: number,
  level: number,
  option: number,
  call: { readonly action: string },
): void {
  const on = Int32Array.of(1);
  check(socketCalls().setsockopt(fd, level, option, on, 4), ERRNO[0], {
    ...call,
    syscall: "setsockopt",
  });
}

/** `struct sockaddr_in` or `struct sockaddr_in6`. */
function encodeAddress(address: string, port: number): Uint8Array<ArrayBuffer> {
  const parts = parseAddress(address);
  if (parts === undefined) {
    throw errorOf(
      Errno.EINVAL,
      `"${address}" is no IP address`,
      { syscall: "bind" },
    );
  }
  const isV4 = parts.length === 4;
  const bytes = new Uint8Array(isV4 ? 16 : ADDRESS_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isV4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  bytes.set(parts, isV4 ? 4 : 8);
  return bytes;
}

function decodeAddress(bytes: Uint8Array<ArrayBuffer>): SocketAddress {
  const view = new DataView(bytes.buffer);
  const port = view.getUint16(2);
  if (view.getUint16(0, true) === AF_INET) {
    return { address: bytes.subarray(4, 8).join("."), port };
  }
  const groups = Array.from(
    { length: 8 },
    (_, index) => view.getUint16(8 + 2 * index).toString(16),
  );
  return { address: unbracketed(`[${groups.join(":")}]`)!, port };
}

/**
 * The bytes of an IP address, 4 or 16 of them; `undefined` if it is none. URLs have
 * the rules for its many forms.
 */
export function parseAddress(address: string): number[] | undefined {
  if (/^\d+\.\d+\.\d+\.\d+$/.test(address)) {
    const parts = address.split(".").map(Number);
    return parts.every((part) => part < 256) ? parts : undefined;
  }
  const text = address.includes(":") ? unbracketed(`[${address}]`) : undefined;
  if (text === undefined) return undefined;
  const [before, after] = text.split("::").map((half) =>
    half === "" ? [] : half.split(":")
  );
  const groups = after === undefined ? before : [
    ...before,
    ...Array(8 - before.length - after.length).fill("0"),
    ...after,
  ];
  return groups.map((group) => parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 0xff]);
}

/** An IPv6 address in its shortest form. */
function unbracketed(host: string): string | undefined {
  return URL.parse(`http://${host}`)?.hostname.slice(1, -1);
}
