// The first process of a machine that exists to run one test: loads the kernel's modules, wakes the loopback interface,
// runs the test with what the boot command line has for it, says how it ended, and switches the machine off.

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <linux/module.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

/// In the order of the file, which names those first that others need.
void load_modules() {
  std::FILE* list = std::fopen("/modules/order", "re");
  if (list == nullptr) return;
  char name[200];
  while (std::fscanf(list, "%199s", name) == 1) {
    const std::string path = std::string("/modules/") + name;
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (::syscall(SYS_finit_module, file, "", MODULE_INIT_COMPRESSED_FILE) != 0 && errno != EEXIST)
      std::printf("init: %s: %s\n", name, std::strerror(errno));
    ::close(file);
  }
  std::fclose(list);
}

void wake_loopback() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  if (::ioctl(socket, SIOCSIFFLAGS, &request) != 0) std::perror("init: lo");
  ::close(socket);
}

int run(char* const* command) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execv(command[0], command);
    std::perror(command[0]);
    std::_Exit(127);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) != child) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int main(int, char** arguments) {
  ::setenv("LOCKSTEP_NEEDS_KERNEL_TLS", "1", 1);
  ::mkdir("/proc", 0755);
  ::mkdir("/tmp", 0777);
  ::mount("proc", "/proc", "proc", 0, nullptr);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  load_modules();
  wake_loopback();
  char program[] = "/test";
  arguments[0] = program;  // the rest is what the boot command line has behind --
  std::printf("init: exit status %d\n", run(arguments));
  std::fflush(stdout);
  ::sync();
  ::reboot(RB_POWER_OFF);
  return 0;
}
