/*
 * The host of the benchmark: drives whatever gadget it is pointed at, with
 * asynchronous transfers of libusb.
 *
 *   bench-host SERIAL
 *
 * opens the device with that serial number, takes its first interface, and
 * reads commands, one a line:
 *
 *   in SIZE DEPTH COUNT       COUNT transfers from the device, DEPTH at once
 *   out SIZE DEPTH COUNT      the same to the device
 *   duplex SIZE DEPTH COUNT   both at the same time
 *   ping SIZE 1 COUNT         one to the device, one back, COUNT times
 *
 * and answers each with a line: the seconds that it took, for ping followed by
 * the 50th and the 99th percentile in microseconds.
 */
#include <libusb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_DEPTH 64

/* One direction of a cell. */
struct flow {
	unsigned char endpoint;
	int size;
	long to_submit;
	long to_complete;
};

static libusb_device_handle *device;
static unsigned char in_address, out_address;
static int running; /* transfers in flight */

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "bench-host: cannot %s: %s\n", what, why);
	exit(1);
}

static void check(const char *what, int result)
{
	if (result < 0)
		fail(what, libusb_error_name(result));
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void open_device(const char *serial)
{
	libusb_device **list;
	ssize_t count = libusb_get_device_list(NULL, &list);

	check("list devices", count);
	for (ssize_t i = 0; i < count && !device; i++) {
		struct libusb_device_descriptor d;
		unsigned char text[128];

		if (libusb_get_device_descriptor(list[i], &d) < 0 ||
		    d.idVendor != 0x1209 || !d.iSerialNumber)
			continue;
		if (libusb_open(list[i], &device) < 0)
			continue;
		if (libusb_get_string_descriptor_ascii(device, d.iSerialNumber,
						       text, sizeof(text)) < 0 ||
		    strcmp((char *)text, serial)) {
			libusb_close(device);
			device = NULL;
		}
	}
	libusb_free_device_list(list, 1);
	if (!device)
		fail("open device", serial);
}

static void find_endpoints(void)
{
	struct libusb_config_descriptor *config;
	const struct libusb_interface_descriptor *interface;

	check("read configuration",
	      libusb_get_active_config_descriptor(
		      libusb_get_device(device), &config));
	interface = &config->interface[0].altsetting[0];
	for (int i = 0; i < interface->bNumEndpoints; i++) {
		unsigned char address = interface->endpoint[i].bEndpointAddress;

		if (address & LIBUSB_ENDPOINT_IN)
			in_address = in_address ? in_address : address;
		else
			out_address = out_address ? out_address : address;
	}
	check("claim interface",
	      libusb_claim_interface(device, interface->bInterfaceNumber));
	libusb_free_config_descriptor(config);
}

static void on_complete(struct libusb_transfer *transfer)
{
	struct flow *flow = transfer->user_data;

	if (transfer->status != LIBUSB_TRANSFER_COMPLETED)
		fail("transfer", libusb_error_name(-transfer->status));
	if (transfer->actual_length != flow->size) {
		fprintf(stderr, "bench-host: %d bytes of %d on endpoint %02x\n",
			transfer->actual_length, flow->size, flow->endpoint);
		exit(1);
	}
	flow->to_complete--;
	if (flow->to_submit > 0) {
		flow->to_submit--;
		check("submit again", libusb_submit_transfer(transfer));
	} else {
		running--;
	}
}

static double run(struct flow *flows, int flow_count, int depth)
{
	struct libusb_transfer *transfers[2 * MAX_DEPTH];
	int count = 0;
	double start;

	for (int f = 0; f < flow_count; f++) {
		struct flow *flow = &flows[f];

		for (int i = 0; i < depth && flow->to_submit > 0; i++) {
			struct libusb_transfer *transfer =
				libusb_alloc_transfer(0);
			unsigned char *buffer = malloc(flow->size);

			if (!transfer || !buffer)
				fail("allocate", "no memory");
			memset(buffer, 0, flow->size);
			libusb_fill_bulk_transfer(transfer, device,
						  flow->endpoint, buffer,
						  flow->size, on_complete,
						  flow, 20000);
			flow->to_submit--;
			transfers[count++] = transfer;
		}
	}
	start = now();
	for (int i = 0; i < count; i++) {
		running++;
		check("submit", libusb_submit_transfer(transfers[i]));
	}
	while (running > 0)
		check("handle events", libusb_handle_events(NULL));
	start = now() - start;
	for (int i = 0; i < count; i++) {
		free(transfers[i]->buffer);
		libusb_free_transfer(transfers[i]);
	}
	return start;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void ping(int size, long count)
{
	unsigned char *buffer = calloc(1, size);
	double *times = malloc(count * sizeof(*times));
	double start = now(), last = start;

	for (long i = 0; i < count; i++) {
		int done;

		check("send", libusb_bulk_transfer(device, out_address, buffer,
						   size, &done, 20000));
		check("receive", libusb_bulk_transfer(device, in_address,
						      buffer, size, &done,
						      20000));
		if (done != size)
			fail("receive", "the answer is too short");
		times[i] = now() - last;
		last += times[i];
	}
	qsort(times, count, sizeof(*times), compare);
	printf("%.6f %.1f %.1f\n", last - start, times[count / 2] * 1e6,
	       times[count * 99 / 100] * 1e6);
	free(times);
	free(buffer);
}

int main(int argc, char **argv)
{
	char line[128], kind[16];
	int size, depth;
	long count;

	if (argc != 2)
		fail("start", "usage: bench-host SERIAL");
	check("start libusb", libusb_init(NULL));
	open_device(argv[1]);
	find_endpoints();
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%15s %d %d %ld", kind, &size, &depth,
			   &count) != 4 ||
		    depth < 1 || depth > MAX_DEPTH)
			fail("understand", line);
		if (!strcmp(kind, "ping")) {
			ping(size, count);
		} else {
			struct flow in = { in_address, size, count, count };
			struct flow out = { out_address, size, count, count };
			struct flow both[] = { in, out };

			if (!strcmp(kind, "in"))
				printf("%.6f\n", run(&in, 1, depth));
			else if (!strcmp(kind, "out"))
				printf("%.6f\n", run(&out, 1, depth));
			else
				printf("%.6f\n", run(both, 2, depth));
		}
	}
	libusb_release_interface(device, 0);
	libusb_close(device);
	libusb_exit(NULL);
	return 0;
}
