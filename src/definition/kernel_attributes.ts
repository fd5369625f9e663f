/**
 * The attributes of the functions that the kernel itself implements.
 *
 * @module
 */

/**
 * The attributes of each type of kernel function.
 *
 * Names are those of configfs, so the kernel's own documentation
 * (`Documentation/ABI/testing/configfs-usb-gadget-*`) applies. A slash leads
 * into a directory: `"lun.0/file"`. The order of keys means nothing.
 *
 * @category Functions
 */
export interface KernelAttributes {
  /** CDC ECM, Ethernet. */
  readonly ecm: {
    /** MAC address of the device's end, `"02:00:00:00:00:01"`. By default random. */
    readonly dev_addr?: string;
    /** MAC address of the host's end. By default random. */
    readonly host_addr?: string;
    /** Queue length multiplier at high speed and above. By default 5. */
    readonly qmult?: number;
    /** Name of the device's network interface, with `%d` for a number. By default `"usb%d"`. */
    readonly ifname?: string;
  };
  /** CDC NCM, fast Ethernet. */
  readonly ncm: KernelAttributes["ecm"] & {
    /** Largest segment in bytes, 14 to 15014, Linux 6.12. By default 1514. */
    readonly max_segment_size?: number;
    /** Compatible ID for Windows, `"WINNCM"`. */
    readonly "os_desc/interface.ncm/compatible_id"?: string;
    /** Sub-compatible ID for Windows. */
    readonly "os_desc/interface.ncm/sub_compatible_id"?: string;
  };
  /** RNDIS, Ethernet for Windows. */
  readonly rndis: KernelAttributes["ecm"] & {
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
  };
  /** CDC EEM, Ethernet on one interface. */
  readonly eem: KernelAttributes["ecm"];
  /** CDC Subset, Ethernet. */
  readonly geth: KernelAttributes["ecm"];
  /** CDC ACM, a modem: `/dev/ttyGS0` here, `/dev/ttyACM0` on the host. */
  readonly acm: {
    /** bInterfaceProtocol, Linux 7.0. By default 1. */
    readonly protocol?: number;
  };
  /** Plain serial: `/dev/ttyGS0` here. */
  readonly serial: Readonly<Record<never, never>>;
  /** The kernel's own name of `serial`. */
  readonly gser: Readonly<Record<never, never>>;
  /** CDC OBEX. */
  readonly obex: Readonly<Record<never, never>>;
  /** HID, with reports over `/dev/hidgN`. */
  readonly hid: {
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
  };
  /**
   * Disks: units 0 to 7, of which 0 always exists, others when named.
   *
   * - `file` is the image or block device; `""` is a drive without a medium.
   * - `forced_eject` takes out the previous medium, even if the host has locked
   *   it: once, when a definition comes to have this.
   */
  readonly mass_storage:
    & {
      /** Whether bulk endpoints may stall. By default as the controller can. */
      readonly stall?: boolean;
    }
    & {
      readonly [
        unit in `lun.${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7}/${
          | "file"
          | "inquiry_string"}`
      ]?: string;
    }
    & {
      readonly [
        unit in `lun.${0 | 1 | 2 | 3 | 4 | 5 | 6 | 7}/${
          | "cdrom"
          | "nofua"
          | "removable"
          | "ro"
          | "forced_eject"}`
      ]?: boolean;
    };
  /** MIDI 1.0. */
  readonly midi: {
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
  };
  /** USB Audio Class 1: `c_` is capture from the host, `p_` is playback to it. */
  readonly uac1: {
    /** Channel masks; 0 removes a direction and its interface. By default 3, stereo. */
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
    /** Lowest volume in 1/256 dB. By default -25600, which is -100 dB. */
    readonly c_volume_min?: number;
    /** Highest volume in 1/256 dB. By default 0. */
    readonly c_volume_max?: number;
    /** Step of the volume in 1/256 dB. By default 256. */
    readonly c_volume_res?: number;
    /** See `c_volume_min`. */
    readonly p_volume_min?: number;
    /** See `c_volume_max`. */
    readonly p_volume_max?: number;
    /** See `c_volume_res`. */
    readonly p_volume_res?: number;
    /** Requests in the queue. By default 2. */
    readonly req_number?: number;
    /** Name of the function. */
    readonly function_name?: string;
    /** Name of the input terminal. */
    readonly c_it_name?: string;
    /** Name of the channels of the input terminal. */
    readonly c_it_ch_name?: string;
    /** Name of the output terminal. */
    readonly c_ot_name?: string;
    /** Name of the volume control. */
    readonly c_fu_vol_name?: string;
    /** See `c_it_name`. */
    readonly p_it_name?: string;
    /** See `c_it_ch_name`. */
    readonly p_it_ch_name?: string;
    /** See `c_ot_name`. */
    readonly p_ot_name?: string;
    /** See `c_fu_vol_name`. */
    readonly p_fu_vol_name?: string;
  };
  /** USB Audio Class 2. */
  readonly uac2: KernelAttributes["uac1"] & {
    /** `"async"` or `"adaptive"`. By default `"async"`. */
    readonly c_sync?: "async" | "adaptive";
    /** bInterval at high speed, 1 to 4, 0 for automatic. By default 0. */
    readonly c_hs_bint?: number;
    /** See `c_hs_bint`. */
    readonly p_hs_bint?: number;
    /** Largest extra bandwidth in asynchronous mode, in per mille. By default 5. */
    readonly fb_max?: number;
    /** wTerminalType of what the host's sound comes out of. By default 0x0201. */
    readonly c_terminal_type?: number;
    /** wTerminalType of what the sound for the host comes from. By default 0x0301. */
    readonly p_terminal_type?: number;
    /** Name of the control interface. */
    readonly if_ctrl_name?: string;
    /** Name of the clock for playback. */
    readonly clksrc_in_name?: string;
    /** Name of the clock for capture. */
    readonly clksrc_out_name?: string;
  };
  /**
   * USB Video Class. Formats and frames go by path, and `links` bind them.
   * Frames are numbered in the natural order of their names: `360p`, `720p`,
   * `1080p`.
   */
  readonly uvc: {
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
    ]: string | number | boolean | Uint8Array;
  };
  /** A printer. The device's end is `/dev/g_printerN`. */
  readonly printer: {
    /** The IEEE 1284 ID. */
    readonly pnp_string?: string;
    /** Requests in the queue. By default 10. */
    readonly q_len?: number;
  };
  /** Phonet, of Nokia: the network interface `upnlinkN` here. */
  readonly phonet: Readonly<Record<never, never>>;
  /** Sends back what it receives. */
  readonly loopback: {
    /** Bytes of a buffer. By default 4096. */
    readonly bulk_buflen?: number;
    /** Requests in the queue. By default 32. */
    readonly qlen?: number;
  };
  /** The kernel's own name of `loopback`. */
  readonly Loopback: KernelAttributes["loopback"];
  /** Sends data and swallows any, for tests. */
  readonly SourceSink: {
    /** 0: zeros, 1: a pattern modulo 63, 2: data is not checked. By default 0. */
    readonly pattern?: number;
    /** Bytes of a bulk buffer. By default 4096. */
    readonly bulk_buflen?: number;
    /** Bulk requests in the queue. By default 1. */
    readonly bulk_qlen?: number;
    /** bMaxBurst of the bulk endpoints. By default 0. */
    readonly bulk_maxburst?: number;
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
  };
}
