/**
 * What is changed in the kernel's source before it is built as User Mode Linux.
 * No part of the source is kept here; an edit refuses source that it does not
 * know.
 *
 * @module
 */
import { SourceEdit } from "../../src/vm/udc/source_edit.ts";

/** A file of the kernel's source, and what becomes of it. */
export interface Edit {
  readonly file: string;
  readonly apply: (source: string) => string;
}

/**
 * Turns on what USB needs, and what else only a PCI bus turns on, which in turn
 * only works with a device model outside of the kernel.
 */
const WITHOUT_PCI = `
config USB_WITHOUT_PCI
	def_bool y
	select UML_DMA_EMULATION
	select UML_IOMEM_EMULATION
`;

/**
 * How kernel and programs share the time, as on every other x86: it is computed
 * from the processor's counter. A call for it costs 10 us in User Mode Linux,
 * and Deno makes one in each turn of its event loop.
 */
const CLOCK = `
/* In the last bytes of the vDSO's page. */
struct counter_clock {
	u64 count;	/* At this count of the processor's counter ... */
	u64 uptime;	/* ... the system was up for so many nanoseconds, */
	s64 boot;	/* and had started so many after 1970. */
	u64 rate;	/* Nanoseconds for 2^32 counts; 0 if not measured. */
};

static inline u64 read_counter(void)
{
	u32 low, high;

	asm volatile("lfence; rdtsc" : "=a" (low), "=d" (high) : : "memory");
	return (u64)high << 32 | low;
}
`;

const READ_CLOCK = `${CLOCK}
/* Returns false for clocks that need the kernel, as those of processes. */
static bool read_clock(clockid_t id, u64 *ns)
{
	unsigned long next_page = ((unsigned long)&read_clock | 4095) + 1;
	const volatile struct counter_clock *clock =
		(const struct counter_clock *)next_page - 1;

	if (!clock->rate)
		return false;
	*ns = clock->uptime + (u64)((unsigned __int128)
		(read_counter() - clock->count) * clock->rate >> 32);
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		*ns += clock->boot;
		return true;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		return true;
	}
	return false;
}
`;

const SET_CLOCK = `${CLOCK}
/* Takes the reading that was interrupted least. */
static void __init sample_clock(u64 *count, u64 *uptime)
{
	u64 shortest = U64_MAX;

	for (int i = 0; i < 200; i++) {
		u64 before = read_counter();
		u64 now = ktime_get_ns();
		u64 length = read_counter() - before;

		if (length >= shortest)
			continue;
		shortest = length;
		*count = before + length / 2;
		*uptime = now;
	}
}

static int __init set_clock(void)
{
	struct counter_clock *clock =
		page_address(um_vdso) + PAGE_SIZE - sizeof(*clock);
	u64 count, uptime;

	sample_clock(&count, &uptime);
	mdelay(50);
	sample_clock(&clock->count, &clock->uptime);
	clock->boot = ktime_get_real_ns() - ktime_get_ns();
	clock->rate = div64_u64((clock->uptime - uptime) << 32,
				clock->count - count);
	return 0;
}
late_initcall(set_clock);
`;

/** Lets programs read the clock without a system call. */
function readClockInVdso(source: string): string {
  const edit = new SourceEdit(source, "um_vdso.c");
  edit.insertBefore("__vdso_clock_gettime", READ_CLOCK);
  edit.inFunction("__vdso_clock_gettime", (replace) => {
    replace(
      /\n\tlong ret;\n/g,
      `$&\tu64 ns;

	if (read_clock(clock, &ns)) {
		ts->tv_sec = ns / NSEC_PER_SEC;
		ts->tv_nsec = ns % NSEC_PER_SEC;
		return 0;
	}
`,
    );
  });
  edit.inFunction("__vdso_gettimeofday", (replace) => {
    replace(
      /\n\tlong ret;\n/g,
      `$&\tu64 ns;

	if (tv && !tz && read_clock(CLOCK_REALTIME, &ns)) {
		tv->tv_sec = ns / NSEC_PER_SEC;
		tv->tv_usec = ns % NSEC_PER_SEC / NSEC_PER_USEC;
		return 0;
	}
`,
    );
  });
  return edit.text;
}

/** Has the kernel measure the counter when it boots. */
function setClockAtBoot(source: string): string {
  const edit = new SourceEdit(source, "vma.c");
  edit.include("linux/delay.h", "linux/ktime.h", "linux/math64.h");
  edit.insertBefore("arch_setup_additional_pages", SET_CLOCK);
  edit.inFunction("init_vdso", (replace) => {
    replace(
      /> PAGE_SIZE\)/g,
      "> PAGE_SIZE - 4 * sizeof(u64))",
    );
  });
  return edit.text;
}

/** All edits. */
export const EDITS: readonly Edit[] = [
  { file: "arch/um/Kconfig", apply: (source) => source + WITHOUT_PCI },
  { file: "arch/x86/um/vdso/um_vdso.c", apply: readClockInVdso },
  { file: "arch/x86/um/vdso/vma.c", apply: setClockAtBoot },
];
