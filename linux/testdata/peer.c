// Creates processes as C programs do, to be measured beside package linux.
//
// usage: peer posix_spawn|clone3 PROGRAM [DESCRIPTORS CHILDREN SLEEPER GIB]
//
// With DESCRIPTORS it has that many open, with CHILDREN that many that run
// SLEEPER, each with its pidfd, and with GIB so much memory in use.
//
// Reads numbers of processes to create, one a line, from standard input, and
// writes for each process, one a line, how many nanoseconds it took to create
// it and to wait for it. At first it writes "ready".
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

extern char **environ;

// raw makes a system call without a function whose return address the child,
// on the same stack, would overwrite before the parent has returned.
static inline __attribute__((always_inline)) long raw(long nr, long a, long b, long c)
{
#if defined(__x86_64__)
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "0"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return r;
#elif defined(__aarch64__)
	register long r8 __asm__("x8") = nr, r0 __asm__("x0") = a, r1 __asm__("x1") = b, r2 __asm__("x2") = c;
	__asm__ volatile("svc 0" : "+r"(r0) : "r"(r8), "r"(r1), "r"(r2) : "memory");
	return r0;
#else
#error "no raw system call for this architecture"
#endif
}

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void by_posix_spawn(char **argv)
{
	pid_t pid;
	int status;
	if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) || waitpid(pid, &status, 0) != pid)
		exit(2);
}

// start does what any program that wants a pidfd has to do, and returns that.
static int start(char **argv)
{
	static volatile int pidfd;
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_CLEAR_SIGHAND,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	long pid = raw(SYS_clone3, (long)&args, sizeof(args), 0);
	if (pid == 0) {
		raw(SYS_execve, (long)argv[0], (long)argv, (long)environ);
		raw(SYS_exit_group, 127, 0, 0);
	}
	if (pid < 0)
		exit(2);
	return pidfd;
}

// The bound.
static void by_clone3(char **argv)
{
	siginfo_t info;
	int pidfd = start(argv);
	if (waitid(P_PIDFD, pidfd, &info, WEXITED))
		exit(2);
	close(pidfd);
}

int main(int argc, char **argv)
{
	char line[32];
	int children = 0, *pidfds = NULL;
	if (argc != 3 && argc != 7)
		return 2;
	if (argc == 7) {
		struct rlimit nofile;
		getrlimit(RLIMIT_NOFILE, &nofile);
		nofile.rlim_cur = nofile.rlim_max;
		setrlimit(RLIMIT_NOFILE, &nofile);
		for (int n = atoi(argv[3]); n > 0; n--)
			if (fcntl(0, F_DUPFD_CLOEXEC, 3) < 0)
				return 3;
		char *sleeper[] = { argv[5], NULL };
		pidfds = calloc(atoi(argv[4]), sizeof(int));
		for (; children < atoi(argv[4]); children++)
			pidfds[children] = start(sleeper);
		size_t size = (size_t)atoi(argv[6]) << 30;
		volatile char *heap = malloc(size);
		for (size_t i = 0; i < size; i += 4096)
			heap[i] = 1;
	}
	puts("ready");
	fflush(stdout);
	int clone3 = !strcmp(argv[1], "clone3");
	char *child[] = { argv[2], NULL };
	while (fgets(line, sizeof(line), stdin)) {
		for (int n = atoi(line); n > 0; n--) {
			long long start = now();
			if (clone3)
				by_clone3(child);
			else
				by_posix_spawn(child);
			printf("%lld\n", now() - start);
		}
		fflush(stdout);
	}
	for (int i = 0; i < children; i++)
		syscall(SYS_pidfd_send_signal, pidfds[i], SIGKILL, NULL, 0);
	return 0;
}
