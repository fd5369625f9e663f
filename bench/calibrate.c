/*
 * What basic operations cost, to compare machines and beds. Prints lines of
 * "NAME: MICROSECONDS", of the best round. See calibrate.ts.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 100
/* Microseconds that a round takes at least. */
#define ROUND 1000
#define COPY (64 << 10)
#define PAGE 4096

static double microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

static double time_of(void (*repeat)(int count), int count)
{
	double start = microseconds();

	repeat(count);
	return microseconds() - start;
}

/*
 * Measures an operation that REPEAT does COUNT times. A round is shorter than
 * what a scheduler gives to other work, which disturbs the best one least.
 */
static void measure(const char *name, void (*repeat)(int count))
{
	int count = 16;
	double best;

	while (time_of(repeat, count) < ROUND)
		count *= 2;
	best = time_of(repeat, count);
	for (int round = 1; round < ROUNDS; round++) {
		double time = time_of(repeat, count);

		if (time < best)
			best = time;
	}
	printf("%s: %.3f\n", name, best / count);
	fflush(stdout);
}

static void call_system(int count)
{
	while (count-- > 0)
		syscall(SYS_getppid);
}

static void read_clock(int count)
{
	while (count-- > 0)
		microseconds();
}

static void touch_pages(int count)
{
	size_t size = (size_t)count * PAGE;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		exit(1);
	/* Each page faults by itself. */
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < size; at += PAGE)
		memory[at] = 1;
	munmap(memory, size);
}

static void copy_memory(int count)
{
	static char from[COPY], to[COPY];

	memset(from, 1, COPY);
	while (count-- > 0) {
		memcpy(to, from, COPY);
		/* The compiler may not leave out a copy. */
		asm volatile("" : : "r"(to) : "memory");
	}
}

static int there, back;

static void *answer(void *unused)
{
	uint64_t value;

	while (read(there, &value, sizeof(value)) == sizeof(value))
		if (write(back, &value, sizeof(value)) != sizeof(value))
			exit(1);
	return unused;
}

/* Each wakes the other thread, and sleeps until that has woken it. */
static void switch_threads(int count)
{
	uint64_t value = 1;

	for (; count > 0; count -= 2)
		if (write(there, &value, sizeof(value)) != sizeof(value) ||
		    read(back, &value, sizeof(value)) != sizeof(value))
			exit(1);
}

int main(void)
{
	pthread_t thread;

	measure("system call", call_system);
	measure("time of day", read_clock);
	measure("page fault", touch_pages);
	measure("memcpy of 64 KiB", copy_memory);
	there = eventfd(0, 0);
	back = eventfd(0, 0);
	if (pthread_create(&thread, NULL, answer, NULL))
		return 1;
	measure("thread switch", switch_threads);
	return 0;
}
