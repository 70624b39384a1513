// What a media worker gives up before it reads a picture, and how one is started.
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// Leaves the network: a new, empty network namespace, alone or inside a new user namespace. Call before any thread
// exists. Returns 0 or errno; where the kernel forbids it the system call filter still denies every socket.
int cs_leave_network(void);

// RLIMIT_AS, CPU, NOFILE; FSIZE and CORE become 0. Soft and hard, so they cannot be raised again. Returns 0 or errno.
int cs_limit(uint64_t address_space, uint64_t cpu_seconds, uint64_t files);

// No new privileges, not dumpable, and a system call filter with an allow-list on every thread: memory, threads,
// clocks, reading, writing to descriptors 1 and 2. No files by name, sockets, processes, tracing. Returns 0 or errno.
int cs_lock(void);

// Starts a program with pipes on descriptors 0 and 1, /dev/null on 2, nothing else open, no signal blocked or ignored,
// its own process group, working directory "/". Returns 0 or errno.
int cs_spawn(const char *path, char *const arguments[], char *const environment[], pid_t *process, int *to, int *from);

// Reads or writes with a deadline in milliseconds of the monotonic clock. Returns the count, 0 at the end of the
// stream, -1 with errno (ETIME when the deadline passed).
ssize_t cs_read(int descriptor, void *bytes, size_t count, int64_t deadline);
ssize_t cs_write(int descriptor, const void *bytes, size_t count, int64_t deadline);
int64_t cs_monotonic_milliseconds(void);

// Kills the process group and waits for the process. Returns the wait status, or -1.
int cs_reap(pid_t process, bool kill_first);

// Whether the process has not ended; does not collect it.
bool cs_is_alive(pid_t process);

// What the lock denies, tried from inside: errno for each attempt, 0 when it was possible.
typedef struct {
  int open_read, open_write, socket, connect_unix, exec, fork, ptrace, kill, raise_limit, executable_memory;
} cs_attempts;
cs_attempts cs_try_everything(void);
