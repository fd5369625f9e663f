/*
 * The host of a benchmark: keeps bulk transfers under way on some endpoints of
 * a USB device, over usbfs.
 *
 *   bulk_host DEVICE ENDPOINT:LENGTH:DEPTH:COUNT...
 *
 * DEVICE is a file such as /dev/bus/usb/001/002, ENDPOINT an address such as
 * 0x81. Prints for each endpoint the seconds from the start of all to its last
 * transfer.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

struct lane {
	unsigned int endpoint, length, depth, count;
	unsigned int submitted, done;
	double seconds;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void submit(int fd, struct usbdevfs_urb *urb)
{
	struct lane *lane = urb->usercontext;

	urb->status = 0;
	urb->actual_length = 0;
	lane->submitted++;
	if (ioctl(fd, USBDEVFS_SUBMITURB, urb) < 0)
		fail("submit");
}

int main(int argc, char **argv)
{
	int fd = argc > 2 ? open(argv[1], O_RDWR) : -1;
	int lanes = argc - 2, left = 0;
	unsigned int interface = 0;
	struct lane *all;
	double start;

	if (fd < 0)
		fail("open");
	if (ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface) < 0)
		fail("claim");
	all = calloc(lanes, sizeof(*all));
	start = now();
	for (int i = 0; i < lanes; i++) {
		struct lane *lane = &all[i];

		if (sscanf(argv[2 + i], "%i:%u:%u:%u", (int *)&lane->endpoint,
			   &lane->length, &lane->depth, &lane->count) != 4)
			return 2;
		left += lane->count;
		for (unsigned int n = 0; n < lane->depth && n < lane->count; n++) {
			struct usbdevfs_urb *urb = calloc(1, sizeof(*urb));

			urb->type = USBDEVFS_URB_TYPE_BULK;
			urb->endpoint = lane->endpoint;
			urb->buffer = calloc(1, lane->length);
			urb->buffer_length = lane->length;
			urb->usercontext = lane;
			submit(fd, urb);
		}
	}
	while (left > 0) {
		struct usbdevfs_urb *urb;
		struct lane *lane;

		if (ioctl(fd, USBDEVFS_REAPURB, &urb) < 0) {
			if (errno == EINTR)
				continue;
			fail("reap");
		}
		lane = urb->usercontext;
		if (urb->status != 0) {
			fprintf(stderr, "transfer: %s\n", strerror(-urb->status));
			return 1;
		}
		left--;
		if (++lane->done == lane->count)
			lane->seconds = now() - start;
		if (lane->submitted < lane->count)
			submit(fd, urb);
	}
	for (int i = 0; i < lanes; i++)
		printf("%.6f\n", all[i].seconds);
	return 0;
}
