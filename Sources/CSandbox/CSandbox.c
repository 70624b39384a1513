#define _GNU_SOURCE
#include "CSandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int cs_leave_network(void) {
  if (unshare(CLONE_NEWNET) == 0) return 0;
  return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 ? 0 : errno;
}

static int limit(int what, uint64_t value) {
  struct rlimit bound = {(rlim_t)value, (rlim_t)value};
  struct rlimit now;
  // A lower hard limit that is already in force is kept: raising it would be refused, and is not wanted.
  if (getrlimit((__rlimit_resource_t)what, &now) == 0 && now.rlim_max != RLIM_INFINITY && now.rlim_max < value)
    bound.rlim_cur = bound.rlim_max = now.rlim_max;
  return setrlimit((__rlimit_resource_t)what, &bound) == 0 ? 0 : errno;
}

int cs_limit(uint64_t address_space, uint64_t cpu_seconds, uint64_t files) {
  int failure = limit(RLIMIT_CORE, 0);
  if (failure == 0) failure = limit(RLIMIT_FSIZE, 0);
  if (failure == 0) failure = limit(RLIMIT_NOFILE, files);
  if (failure == 0) failure = limit(RLIMIT_CPU, cpu_seconds);
  if (failure == 0) failure = limit(RLIMIT_AS, address_space);
  return failure;
}

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#else
#error "The system call filter is written for x86-64 and arm64."
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define LOAD_ARGUMENT(n) \
  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + sizeof(uint64_t) * (n)))
#define LOAD_ARGUMENT_HIGH(n) \
  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + sizeof(uint64_t) * (n) + 4))
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define DENY ANSWER(SECCOMP_RET_ERRNO | EPERM)
#define ALLOW ANSWER(SECCOMP_RET_ALLOW)
#define IF_EQUAL(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), 0, (skip))
#define WHEN(call) IF_EQUAL(__NR_##call, 1), ALLOW

int cs_lock(void) {
  struct sock_filter program[] = {
      LOAD(arch),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0),
      ANSWER(SECCOMP_RET_KILL_PROCESS),
      LOAD(nr),
      // The x32 numbers would walk around the list.
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
      ANSWER(SECCOMP_RET_KILL_PROCESS),

      WHEN(read), WHEN(readv), WHEN(futex), WHEN(mmap), WHEN(munmap), WHEN(mprotect), WHEN(mremap), WHEN(madvise),
      WHEN(brk), WHEN(close), WHEN(fstat), WHEN(lseek), WHEN(ppoll), WHEN(getrandom), WHEN(clock_gettime),
      WHEN(clock_nanosleep), WHEN(nanosleep), WHEN(gettimeofday), WHEN(sched_yield), WHEN(sched_getaffinity),
      WHEN(rt_sigaction), WHEN(rt_sigprocmask), WHEN(rt_sigreturn), WHEN(sigaltstack), WHEN(set_robust_list),
      WHEN(getpid), WHEN(gettid), WHEN(exit), WHEN(exit_group), WHEN(restart_syscall), WHEN(getrusage), WHEN(uname),
      WHEN(membarrier), WHEN(getcpu), WHEN(set_tid_address),
#ifdef __NR_rseq
      WHEN(rseq),
#endif
#ifdef __NR_poll
      WHEN(poll),
#endif
#ifdef __NR_time
      WHEN(time),
#endif

      // Writing: the answer and the error stream only.
      IF_EQUAL(__NR_write, 4), LOAD_ARGUMENT(0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 0), IF_EQUAL(2, 1), ALLOW,
      LOAD(nr),
      IF_EQUAL(__NR_writev, 4), LOAD_ARGUMENT(0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 0), IF_EQUAL(2, 1), ALLOW,
      LOAD(nr),

      // Threads, not processes. clone3 hides its flags behind a pointer; ENOSYS sends glibc to clone.
      IF_EQUAL(__NR_clone, 4), LOAD_ARGUMENT(0), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1), ALLOW, DENY,
#ifdef __NR_clone3
      IF_EQUAL(__NR_clone3, 1), ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
#endif
      // Naming a thread.
      IF_EQUAL(__NR_prctl, 4), LOAD_ARGUMENT(0), IF_EQUAL(PR_SET_NAME, 1), ALLOW, DENY,
      // Reading a limit, not changing one.
      IF_EQUAL(__NR_prlimit64, 6), LOAD_ARGUMENT(2), IF_EQUAL(0, 3), LOAD_ARGUMENT_HIGH(2), IF_EQUAL(0, 1), ALLOW, DENY,
      // abort() signals its own thread group.
      IF_EQUAL(__NR_tgkill, 4), LOAD_ARGUMENT(0), IF_EQUAL(getpid(), 1), ALLOW, DENY,
      IF_EQUAL(__NR_fcntl, 5), LOAD_ARGUMENT(1), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, F_GETFD, 1, 0),
      IF_EQUAL(F_GETFL, 1), ALLOW, DENY,
      DENY,
  };
  struct sock_fprog filter = {(unsigned short)(sizeof program / sizeof *program), program};
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return errno;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  if (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0) return errno;
  return 0;
}

static int open_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno; }

int cs_spawn(const char *path, char *const arguments[], char *const environment[], pid_t *process, int *to, int *from) {
  int in[2] = {-1, -1}, out[2] = {-1, -1};
  int failure = open_pipe(in);
  if (failure == 0) failure = open_pipe(out);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  sigset_t every, none;
  sigfillset(&every);
  sigemptyset(&none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setsigdefault(&attributes, &every);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  if (failure == 0) failure = posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  if (failure == 0) failure = posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  if (failure == 0) failure = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  if (failure == 0) failure = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (failure == 0) failure = posix_spawn_file_actions_addchdir_np(&actions, "/");
  if (failure == 0) failure = posix_spawn(process, path, &actions, &attributes, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (in[0] >= 0) close(in[0]);
  if (out[1] >= 0) close(out[1]);
  if (failure != 0) {
    if (in[1] >= 0) close(in[1]);
    if (out[0] >= 0) close(out[0]);
    return failure;
  }
  fcntl(in[1], F_SETFL, O_NONBLOCK);
  fcntl(out[0], F_SETFL, O_NONBLOCK);
  *to = in[1];
  *from = out[0];
  return 0;
}

int64_t cs_monotonic_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int wait_for(int descriptor, short events, int64_t deadline) {
  for (;;) {
    int64_t left = deadline - cs_monotonic_milliseconds();
    if (left <= 0) {
      errno = ETIME;
      return -1;
    }
    struct pollfd one = {descriptor, events, 0};
    int ready = poll(&one, 1, left > 60000 ? 60000 : (int)left);
    if (ready > 0) return 0;
    if (ready < 0 && errno != EINTR) return -1;
  }
}

ssize_t cs_read(int descriptor, void *bytes, size_t count, int64_t deadline) {
  for (;;) {
    if (wait_for(descriptor, POLLIN, deadline) != 0) return -1;
    ssize_t n = read(descriptor, bytes, count);
    if (n >= 0 || (errno != EAGAIN && errno != EINTR)) return n;
  }
}

ssize_t cs_write(int descriptor, const void *bytes, size_t count, int64_t deadline) {
  // A worker that died closes its end; SIGPIPE would end the server. Blocked for this thread, and taken if raised.
  sigset_t broken, before;
  sigemptyset(&broken);
  sigaddset(&broken, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken, &before);
  ssize_t n = -1;
  for (;;) {
    if (wait_for(descriptor, POLLOUT, deadline) != 0) break;
    n = write(descriptor, bytes, count);
    if (n >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  int failure = errno;
  if (n < 0 && failure == EPIPE) {
    struct timespec at_once = {0, 0};
    sigtimedwait(&broken, NULL, &at_once);
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = failure;
  return n;
}

int cs_reap(pid_t process, bool kill_first) {
  if (kill_first) {
    kill(-process, SIGKILL);
    kill(process, SIGKILL);
  }
  int status = 0;
  for (;;) {
    pid_t n = waitpid(process, &status, 0);
    if (n == process) return status;
    if (n < 0 && errno != EINTR) return -1;
  }
}

bool cs_is_alive(pid_t process) {
  siginfo_t info = {0};
  return waitid(P_PID, (id_t)process, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
}

static int outcome(long value) { return value < 0 ? errno : 0; }

cs_attempts cs_try_everything(void) {
  cs_attempts found = {0};
  int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
  found.open_read = outcome(file);
  file = open("/tmp/atelier-sandbox-attempt", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  found.open_write = outcome(file);
  found.socket = outcome(socket(AF_INET, SOCK_STREAM, 0));
  int pair[2];
  found.connect_unix = outcome(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  char *const nothing[] = {NULL};
  found.exec = outcome(execve("/bin/true", nothing, nothing));
  pid_t child = (pid_t)syscall(__NR_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) _exit(0);
  found.fork = outcome(child);
  found.ptrace = outcome(ptrace(PTRACE_TRACEME, 0, 0, 0));
  found.kill = outcome(kill(getppid(), 0));
  struct rlimit more = {1, 1};
  found.raise_limit = outcome(setrlimit(RLIMIT_CORE, &more));
  void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  found.executable_memory = code == MAP_FAILED ? errno : 0;
  return found;
}
