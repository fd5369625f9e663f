/**
 * The attributes of the functions that the kernel itself implements.
 *
 * Names are those of configfs, so that the kernel's own documentation
 * (`Documentation/ABI/testing/configfs-usb-gadget-*`) applies to them. A slash
 * leads into a directory: `"lun.0/file"`. The order of keys means nothing.
 *
 * @module
 */

/** What an attribute of configfs can be set to; `true` is written as `1`. */
export type AttributeValue = string | number | boolean | Uint8Array;

/**
 * Attributes by their path below the function's directory.
 *
 * @internal
 */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/**
 * Attributes of `eem` and `geth`, and those that all Ethernet functions have.
 *
 * @internal
 */
export interface EthernetAttributes {
  /** MAC address of the device's end, `"02:00:00:00:00:01"`. By default random. */
  readonly dev_addr?: string;
  /** MAC address that the host's end gets. By default random. */
  readonly host_addr?: string;
  /** Queue length multiplier at high speed and above. By default 5. */
  readonly qmult?: number;
  /** Name of the device's network interface, with `%d` for a number. By default `"usb%d"`. */
  readonly ifname?: string;
}

/**
 * Attributes of `ncm`.
 *
 * @internal
 */
export interface NcmAttributes extends EthernetAttributes {
  /** Largest segment in bytes, 14 to 15014, Linux 6.12. By default 1514. */
  readonly max_segment_size?: number;
  /** Compatible ID for Windows, `"WINNCM"`. */
  readonly "os_desc/interface.ncm/compatible_id"?: string;
  /** Sub-compatible ID for Windows. */
  readonly "os_desc/interface.ncm/sub_compatible_id"?: string;
}

/**
 * Attributes of `rndis`.
 *
 * @internal
 */
export interface RndisAttributes extends EthernetAttributes {
  /** bInterfaceClass. By default 0x02. */
  readonly class?: number;
  /** bInterfaceSubClass. By default 0x06. */
  readonly subclass?: number;
  /** bInterfaceProtocol. By default 0x00. */
  readonly protocol?: number;
  /** Compatible ID for Windows, such as `"RNDIS"`. */
  readonly "os_desc/interface.rndis/compatible_id"?: string;
  /** Sub-compatible ID for Windows, such as `"5162001"`. */
  readonly "os_desc/interface.rndis/sub_compatible_id"?: string;
}

/**
 * Attributes of `acm`.
 *
 * @internal
 */
export interface AcmAttributes {
  /** bInterfaceProtocol, Linux 7.0. By default 1. */
  readonly protocol?: number;
}

/**
 * Attributes of `hid`. The device end is `/dev/hidgN`.
 *
 * @internal
 */
export interface HidAttributes {
  /** The report descriptor. */
  readonly report_desc: Uint8Array;
  /** Bytes of the longest report. */
  readonly report_length: number;
  /** bInterfaceProtocol: 1 keyboard, 2 mouse. By default 0. */
  readonly protocol?: number;
  /** bInterfaceSubClass: 1 for the boot interface. By default 0. */
  readonly subclass?: number;
  /** Output reports come over endpoint 0 only. By default false. */
  readonly no_out_endpoint?: boolean;
  /** bInterval. By default 4. */
  readonly interval?: number;
}

/** Attributes of one logical unit of `mass_storage`. */
export type LunAttributes<N extends number> =
  & {
    readonly [
      /** The image or block device; `""` is a drive without a medium. */
      K in `lun.${N}/file` | `lun.${N}/inquiry_string`
    ]?: string;
  }
  & {
    readonly [
      K in `lun.${N}/${"cdrom" | "nofua" | "removable" | "ro"}`
    ]?: boolean;
  }
  & {
    readonly [
      /** Takes out the medium before, also where the host has locked it: once, when a definition comes to have this. */
      K in `lun.${N}/forced_eject`
    ]?: boolean;
  };

/**
 * Attributes of `mass_storage`. Unit 0 is always there, others when named.
 *
 * @internal
 */
export type MassStorageAttributes =
  & {
    /** Whether bulk endpoints may stall. By default as the controller can. */
    readonly stall?: boolean;
  }
  & LunAttributes<0>
  & LunAttributes<1>
  & LunAttributes<2>
  & LunAttributes<3>
  & LunAttributes<4>
  & LunAttributes<5>
  & LunAttributes<6>
  & LunAttributes<7>;

/**
 * Attributes of `midi`.
 *
 * @internal
 */
export interface MidiAttributes {
  /** Bytes of a MIDI buffer. By default 512 (256 before Linux 6.12). */
  readonly buflen?: number;
  /** ID of the sound card. */
  readonly id?: string;
  /** Input ports, 1 to 16. By default 1. */
  readonly in_ports?: number;
  /** Index of the sound card, -1 for any. By default -1. */
  readonly index?: number;
  /** Name of the interface. */
  readonly interface_string?: string;
  /** Output ports, 1 to 16. By default 1. */
  readonly out_ports?: number;
  /** Requests in the queue. By default 32. */
  readonly qlen?: number;
}

/**
 * Attributes of `uac1`, and those that `uac2` has as well: c is capture from the host, p is playback to it.
 *
 * @internal
 */
export interface AudioAttributes {
  /** Channel masks; 0 leaves a direction, and its interface, out. By default 3, stereo. */
  readonly c_chmask?: number;
  /** Sampling rates in Hz, `"44100,48000"`. By default 48000 (64000 for uac2). */
  readonly c_srate?: number | string;
  /** Bytes of a sample. By default 2. */
  readonly c_ssize?: number;
  /** Whether the host can mute. By default true. */
  readonly c_mute_present?: boolean;
  /** Whether the host can set the volume. By default true. */
  readonly c_volume_present?: boolean;
  /** See `c_chmask`. */
  readonly p_chmask?: number;
  /** See `c_srate`. By default 48000. */
  readonly p_srate?: number | string;
  /** See `c_ssize`. */
  readonly p_ssize?: number;
  /** See `c_mute_present`. */
  readonly p_mute_present?: boolean;
  /** See `c_volume_present`. */
  readonly p_volume_present?: boolean;
  /** Requests in the queue. By default 2. */
  readonly req_number?: number;
  /** Name of the function. */
  readonly function_name?: string;
}

/**
 * Attributes of `uac2`.
 *
 * @internal
 */
export interface Audio2Attributes extends AudioAttributes {
  /** `"async"` or `"adaptive"`. By default `"async"`. */
  readonly c_sync?: "async" | "adaptive";
  /** bInterval at high speed, 1 to 4, 0 for automatic. By default 0. */
  readonly c_hs_bint?: number;
  /** See `c_hs_bint`. */
  readonly p_hs_bint?: number;
  /** Largest extra bandwidth in asynchronous mode, in promille. By default 5. */
  readonly fb_max?: number;
}

/**
 * Attributes of `uvc`. Formats and frames go by path, and `links` bind them.
 * Frames are numbered in the natural order of their names: `360p`, `720p`,
 * `1080p`.
 *
 * @internal
 */
export interface UvcAttributes {
  /** bInterval of the streaming endpoint, 1 to 16. By default 1. */
  readonly streaming_interval?: number;
  /** Bytes in a packet, 1 to 3072. By default 1024. */
  readonly streaming_maxpacket?: number;
  /** bMaxBurst, 0 to 15. By default 0. */
  readonly streaming_maxburst?: number;
  /** Name of the function. By default `"UVC Camera"`. */
  readonly function_name?: string;
  /** Anything below `control/` and `streaming/`. */
  readonly [
    path: `control/${string}` | `streaming/${string}`
  ]: AttributeValue;
}

/**
 * Attributes of `printer`. The device end is `/dev/g_printerN`.
 *
 * @internal
 */
export interface PrinterAttributes {
  /** The IEEE 1284 ID. */
  readonly pnp_string?: string;
  /** Requests in the queue. By default 10. */
  readonly q_len?: number;
}

/**
 * Attributes of `Loopback`.
 *
 * @internal
 */
export interface LoopbackAttributes {
  /** Bytes of a buffer. By default 4096. */
  readonly bulk_buflen?: number;
  /** Requests in the queue. By default 32. */
  readonly qlen?: number;
}

/**
 * Attributes of `SourceSink`.
 *
 * @internal
 */
export interface SourceSinkAttributes {
  /** 0: zeros, 1: a pattern modulo 63, 2: nothing is checked. By default 0. */
  readonly pattern?: number;
  /** Bytes of a bulk buffer. By default 4096. */
  readonly bulk_buflen?: number;
  /** Bulk requests in the queue. By default 1. */
  readonly bulk_qlen?: number;
  /** Isochronous requests in the queue. By default 8. */
  readonly iso_qlen?: number;
  /** bInterval of the isochronous endpoints. By default 4. */
  readonly isoc_interval?: number;
  /** bMaxBurst of the isochronous endpoints. By default 0. */
  readonly isoc_maxburst?: number;
  /** Bytes in an isochronous packet. By default 1024. */
  readonly isoc_maxpacket?: number;
  /** Isochronous packets per microframe less one. By default 0. */
  readonly isoc_mult?: number;
}

/**
 * A function without attributes that can be set.
 *
 * @internal
 */
export type NoAttributes = Readonly<Record<never, never>>;

/** The attributes of each kind of kernel function. */
export interface KernelAttributes {
  /** CDC ECM, Ethernet. */
  readonly ecm: EthernetAttributes;
  /** CDC NCM, fast Ethernet. */
  readonly ncm: NcmAttributes;
  /** RNDIS, Ethernet for Windows. */
  readonly rndis: RndisAttributes;
  /** CDC EEM, Ethernet on one interface. */
  readonly eem: EthernetAttributes;
  /** CDC Subset, Ethernet. */
  readonly geth: EthernetAttributes;
  /** CDC ACM, a modem: `/dev/ttyGS0` here, `/dev/ttyACM0` there. */
  readonly acm: AcmAttributes;
  /** Plain serial: `/dev/ttyGS0` here. */
  readonly serial: NoAttributes;
  /** The kernel's own name of `serial`. */
  readonly gser: NoAttributes;
  /** CDC OBEX. */
  readonly obex: NoAttributes;
  /** HID, with reports over `/dev/hidg0`. */
  readonly hid: HidAttributes;
  /** Disks. */
  readonly mass_storage: MassStorageAttributes;
  /** MIDI 1.0. */
  readonly midi: MidiAttributes;
  /** USB Audio Class 1. */
  readonly uac1: AudioAttributes;
  /** USB Audio Class 2. */
  readonly uac2: Audio2Attributes;
  /** USB Video Class. */
  readonly uvc: UvcAttributes;
  /** A printer. */
  readonly printer: PrinterAttributes;
  /** Sends back what it gets. */
  readonly loopback: LoopbackAttributes;
  /** The kernel's own name of `loopback`. */
  readonly Loopback: LoopbackAttributes;
  /** Sends and swallows anything, for tests. */
  readonly SourceSink: SourceSinkAttributes;
}
