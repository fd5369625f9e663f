/*
 * A gadget of one thread with libaio: DEPTH requests are kept in the kernel,
 * completions are taken in batches, and a batch goes back in one call. The
 * figure that the others are measured against. See gadget.h.
 */
#include "gadget.h"
#include <libaio.h>

struct flow {
	int fd;
	int writes;
	long to_submit;
	long to_complete;
};

static io_context_t context;
static struct iocb iocbs[2 * MAX_DEPTH];

static void submit(struct iocb **batch, long count)
{
	while (count > 0) {
		int done = io_submit(context, count, batch);

		if (done <= 0) {
			errno = -done;
			fail("submit");
		}
		batch += done;
		count -= done;
	}
}

static void prepare(struct iocb *iocb, struct flow *flow, void *buffer,
		    size_t size)
{
	if (flow->writes)
		io_prep_pwrite(iocb, flow->fd, buffer, size, 0);
	else
		io_prep_pread(iocb, flow->fd, buffer, size, 0);
	iocb->data = flow;
}

static void run(struct flow *flows, int flow_count, size_t size, int depth)
{
	static struct io_event events[2 * MAX_DEPTH];
	struct iocb *batch[2 * MAX_DEPTH];
	char *buffers = aligned_alloc(4096, 2 * depth * size);
	long left = 0;
	int count = 0, used = 0;

	memset(buffers, 0, 2 * depth * size);
	for (int f = 0; f < flow_count; f++) {
		left += flows[f].to_complete;
		for (int i = 0; i < depth && flows[f].to_submit > 0; i++) {
			flows[f].to_submit--;
			prepare(&iocbs[used], &flows[f], buffers + used * size,
				size);
			batch[count++] = &iocbs[used++];
		}
	}
	submit(batch, count);
	puts("ready");
	while (left > 0) {
		int done = io_getevents(context, 1, 2 * MAX_DEPTH, events, NULL);

		if (done < 0) {
			errno = -done;
			fail("wait");
		}
		count = 0;
		for (int i = 0; i < done; i++) {
			struct flow *flow = events[i].data;

			if (events[i].res != size) {
				errno = -(long)events[i].res;
				fail("transfer");
			}
			left--;
			if (flow->to_submit <= 0)
				continue;
			flow->to_submit--;
			batch[count++] = events[i].obj;
		}
		submit(batch, count);
	}
	puts("done");
	free(buffers);
}

/* Each answer waits for its question: one request after the other. */
static void ping(size_t size, long count)
{
	size_t room = size < 1024 ? 1024 : size;
	char *buffer = calloc(1, room);
	struct iocb iocb, *batch[] = { &iocb };
	struct io_event event;

	puts("ready");
	for (long i = 0; i < 2 * count; i++) {
		if (i & 1)
			io_prep_pwrite(&iocb, in_fd, buffer, size, 0);
		else
			io_prep_pread(&iocb, out_fd, buffer, room, 0);
		submit(batch, 1);
		if (io_getevents(context, 1, 1, &event, NULL) != 1 ||
		    (long)event.res < 0)
			fail("transfer");
	}
	puts("done");
	free(buffer);
}

int main(int argc, char **argv)
{
	char line[128], kind[16];
	size_t size;
	int depth;
	long count;

	start(argc, argv);
	if (io_setup(2 * MAX_DEPTH, &context) < 0)
		fail("make an AIO context");
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "%15s %zu %d %ld", kind, &size, &depth,
			   &count) != 4)
			fail(line);
		struct flow both[] = { { in_fd, 1, count, count },
				       { out_fd, 0, count, count } };

		if (!strcmp(kind, "ping"))
			ping(size, count);
		else if (!strcmp(kind, "in"))
			run(&both[0], 1, size, depth);
		else if (!strcmp(kind, "out"))
			run(&both[1], 1, size, depth);
		else
			run(both, 2, size, depth);
	}
	return 0;
}
