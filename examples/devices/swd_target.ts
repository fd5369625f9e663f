// A chip at the end of a debug probe: the debug port of a Cortex-M4, and some memory
// behind an access port (Arm Debug Interface, ADIv5.2).

/** What a probe reaches by Serial Wire Debug. */
export interface SwdTarget {
  /**
   * Reads a register.
   *
   * @returns Undefined if the chip answers with FAULT.
   */
  read(port: "debug" | "access", register: number): number | undefined;
  /** Writes a register. Returns false for a FAULT. */
  write(port: "debug" | "access", register: number, value: number): boolean;
  /** The reset pin. */
  reset(): void;
}

// Registers of the debug port
const DPIDR = 0x0; // ABORT when written
const CTRL_STAT = 0x4;
const SELECT = 0x8;
const RDBUFF = 0xc;
// Registers of the access port
const CSW = 0x00;
const TAR = 0x04;
const DRW = 0x0c;
const BASE = 0xf8;
const IDR = 0xfc;

/** Requests for power in CTRL/STAT. The bit above each acknowledges it. */
const POWER = 0x5000_0000;
const STICKY_ERROR = 0x20;
const CLEAR_STICKY_ERROR = 0x4;
/** Of CSW: the size of an access, and whether the address advances. */
const CSW_BITS = 0x17;
const ADVANCE = 0x10;
const ENABLED = 0x40;

/** A chip that has nothing but memory. */
export class MemoryTarget implements SwdTarget {
  readonly memory: Uint32Array;
  readonly #start: number;
  #power = 0;
  #select = 0;
  #csw = 0;
  #address = 0;
  #buffer = 0;
  #hasFailed = false;

  constructor(start = 0x2000_0000, size = 65_536) {
    this.#start = start;
    this.memory = new Uint32Array(size / 4);
  }

  reset(): void {
    this.#csw = 0;
    this.#address = 0;
  }

  read(port: "debug" | "access", register: number): number | undefined {
    if (port === "access") return this.#readAccessPort(register);
    switch (register) {
      case DPIDR:
        return 0x2ba0_1477;
      case CTRL_STAT: {
        const sticky = this.#hasFailed ? STICKY_ERROR : 0;
        return this.#power | this.#power << 1 | sticky;
      }
      case RDBUFF:
        return this.#buffer;
      default:
        return 0;
    }
  }

  write(port: "debug" | "access", register: number, value: number): boolean {
    if (port === "access") return this.#writeAccessPort(register, value);
    switch (register) {
      case DPIDR:
        if (value & CLEAR_STICKY_ERROR) this.#hasFailed = false;
        break;
      case CTRL_STAT:
        this.#power = value & POWER;
        break;
      case SELECT:
        this.#select = value;
    }
    return true;
  }

  #readAccessPort(register: number): number | undefined {
    if (this.#hasFailed) return undefined;
    const value = this.#readSelected(register);
    if (value !== undefined) this.#buffer = value;
    return value;
  }

  #readSelected(register: number): number | undefined {
    switch (this.#selected(register)) {
      case CSW:
        return this.#csw | ENABLED;
      case TAR:
        return this.#address;
      case DRW:
        return this.#access();
      case BASE: // no table of components
        return 0xffff_ffff;
      case IDR: // an AHB-AP
        return 0x2477_0011;
      default:
        return 0;
    }
  }

  #writeAccessPort(register: number, value: number): boolean {
    if (this.#hasFailed) return false;
    switch (this.#selected(register)) {
      case CSW:
        this.#csw = value & CSW_BITS;
        break;
      case TAR:
        this.#address = value;
        break;
      case DRW:
        return this.#access(value) !== undefined;
    }
    return true;
  }

  /** A register of the selected bank; undefined for one of another access port. */
  #selected(register: number): number | undefined {
    const [port, bank] = [this.#select >>> 24, this.#select & 0xf0];
    return port === 0 ? bank | register : undefined;
  }

  /** Reads, or writes, the memory. Small values are where they are in a word. */
  #access(value?: number): number | undefined {
    const size = 1 << (this.#csw & 3);
    const at = this.#address - this.#start;
    if (at < 0 || at + size > this.memory.byteLength) {
      this.#hasFailed = true;
      return undefined;
    }
    const word = this.memory[at >> 2];
    if (value !== undefined) {
      const mask = 2 ** (8 * size) - 1 << 8 * (at & 3);
      this.memory[at >> 2] = word & ~mask | value & mask;
    }
    if (this.#csw & ADVANCE) this.#address += size;
    return word;
  }
}
