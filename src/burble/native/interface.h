/* What the library and `burble/native/` in Python must agree on. */
#ifndef BURBLE_INTERFACE_H
#define BURBLE_INTERFACE_H

#include <stdint.h>

#define BURBLE_API __attribute__((visibility("default")))

/* One more whenever an exported function or a struct that Python shares changes: what Python calls
 * must be what was compiled. native/library.py has the same number. */
#define BURBLE_INTERFACE 5

/* Writes, in this order and up to `room` of them: BURBLE_INTERFACE, the number of kernels that this
 * machine can run, the sizes of the structs that they share. Returns how many there are. This
 * function never changes, so it can be called in any build that has it. */
BURBLE_API int32_t burble_interface(int64_t *facts, int32_t room);

#endif
