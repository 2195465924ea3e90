// What glibc declares in <spawn.h> only with _GNU_SOURCE, which the Swift compiler does not define.
#ifdef __linux__
#include <spawn.h>

int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

static const short posix_spawn_setsid = 0x80; // POSIX_SPAWN_SETSID
#endif
