/*
 * Code shared by both C gadgets of the benchmark.
 *
 *   PROGRAM MOUNT DESCRIPTORS STRINGS
 *
 * writes both files to the control file of the mount, prints "open", and reads
 * commands like those of the host program (see ../host.c), one per line. For each
 * it prints "ready" when the host may begin, and "done" after the last transfer.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/usb/functionfs.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_DEPTH 64

static int in_fd, out_fd;

static void fail(const char *what)
{
	fprintf(stderr, "bench gadget: cannot %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_file(const char *folder, const char *name, int flags)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = open(path, flags);
	if (fd < 0)
		fail(path);
	return fd;
}

static void copy_file(const char *from, int to)
{
	static char bytes[65536];
	int fd = open(from, O_RDONLY);
	ssize_t count = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));

	if (count < 0 || write(to, bytes, count) != count)
		fail(from);
	close(fd);
}

/* Takes events away, and stalls every control request. */
static void *serve_control(void *argument)
{
	int ep0 = *(int *)argument;
	struct usb_functionfs_event event;

	while (read(ep0, &event, sizeof(event)) == sizeof(event)) {
		if (event.type != FUNCTIONFS_SETUP)
			continue;
		if (event.u.setup.bRequestType & USB_DIR_IN)
			(void)!read(ep0, &event, 0);
		else
			(void)!write(ep0, &event, 0);
	}
	return NULL;
}

/* IN is ep1, OUT is ep2. */
static void start(int argc, char **argv)
{
	static int ep0;
	pthread_t thread;

	if (argc != 4) {
		errno = EINVAL;
		fail("start: usage: PROGRAM MOUNT DESCRIPTORS STRINGS");
	}
	ep0 = open_file(argv[1], "ep0", O_RDWR);
	copy_file(argv[2], ep0);
	copy_file(argv[3], ep0);
	in_fd = open_file(argv[1], "ep1", O_RDWR);
	out_fd = open_file(argv[1], "ep2", O_RDWR);
	if (pthread_create(&thread, NULL, serve_control, &ep0))
		fail("start a thread");
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("open");
}
